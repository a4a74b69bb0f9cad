"""The mail outbox: every mail is a row, written in the transaction of its reason, and sent by a worker."""
