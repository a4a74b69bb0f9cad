"""Fields that several serializers of accounts share."""

from typing import Any

from genvid.api import serializers as api

TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl"  # noqa: S105 - made up


class MailedTokenField(api.StrictCharField):
    description = "From the link of the mail."
    example = "eyJ1IjoiYTFiM2M1ZDcifQ:1sK3Zq:9vQ0bD2f7h4k6m8p"

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=1024, **options)


class TotpCodeField(api.StrictCharField):
    example = "492039"

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)


class NameField(api.StrictCharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=150, **options)


class JwtField(api.TextField):
    example = TOKEN
