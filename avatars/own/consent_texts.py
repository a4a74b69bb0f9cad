"""What a customer confirms, by version. A text is never changed: a new one gets a new version, and the old one stays.

A creation keeps the version and the language that were confirmed.
"""

from collections.abc import Mapping

CURRENT = "2026-11-30"
LANGUAGE = "en"

TEXTS: Mapping[str, Mapping[str, str]] = {
    "2026-11-30": {
        "en": (
            "I confirm that the face or voice in this file is my own, or that the person whom I name has agreed to its "
            "use: an artificial copy of it may be made by us and our provider HeyGen and may speak the texts of my "
            "account. I can withdraw this at any time by deleting the avatar or voice; the copy is then deleted here "
            "and at HeyGen. I will not use it to deceive anybody about who speaks."
        ),
    },
}


def text_of(version: str, language: str) -> str:
    return TEXTS[version][language]
