"""The mail outbox: every mail is a row, written in the transaction of what it tells, and sent by a worker."""
