"""The texts that customers confirm: never changed, and shown to them as they are kept."""

import hashlib
from pathlib import Path

import pytest
from django.conf import settings

from avatars.own import consent_texts

GUIDE = Path(settings.BASE_DIR) / "docs" / "guides" / "own-avatars.md"
HASHES = {("2026-11-30", "en"): "5ae0c72ae9f19807a630ad602b331975f59d617d280595544c3494f3a3abc145"}
"""Of each text. One that was confirmed must stay as it is: give a new one a new version."""


def test_the_guide_has_the_text_in_force_and_its_version():
    guide = " ".join(GUIDE.read_text().replace("\n> ", " ").split())
    assert consent_texts.text_of(consent_texts.CURRENT, consent_texts.LANGUAGE) in guide
    assert f"(Version {consent_texts.CURRENT}.)" in guide


@pytest.mark.parametrize(("version", "language"), HASHES)
def test_no_text_has_changed(version, language):
    text = consent_texts.text_of(version, language)
    assert hashlib.sha256(text.encode()).hexdigest() == HASHES[version, language]


def test_every_text_is_known_to_this_test():
    assert {(version, language) for version, texts in consent_texts.TEXTS.items() for language in texts} == set(HASHES)
