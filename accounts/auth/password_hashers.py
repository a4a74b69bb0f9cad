"""Hashers of passwords. PASSWORD_HASHERS names them; nobody else imports this module."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class OwaspArgon2PasswordHasher(Argon2PasswordHasher):
    """argon2id at the parameters of OWASP's cheat sheet, a ninth of the CPU time of Django's default.

    A hash made with other parameters is verified with its own, and renewed at the next sign-in.
    """

    memory_cost = 19 * 1024
    """KiB"""
    time_cost = 2
    parallelism = 1
