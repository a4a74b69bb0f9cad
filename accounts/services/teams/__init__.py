"""Who belongs to an account: invited, joined, promoted, removed. Each change is decided under the account's lock."""
