"""The gateway for own faces and voices: hand-made answers that the sandbox does not give, and hostile ones."""

import pytest

from genvid.heygen.avatar_making import (
    AvatarMaker,
    MakingState,
    ids_in_event,
    read_made_group,
    read_made_look,
    read_made_voice,
)
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import NotFound, Refused, Unknown

LOOK = {
    "id": "look_1",
    "name": "genvid 1",
    "avatar_type": "photo_avatar",
    "status": "completed",
    "preview_image_url": "https://files.heygen.ai/a.jpg",
    "image_width": 10,
    "image_height": 10,
}


@pytest.fixture
def maker(sandbox) -> AvatarMaker:
    return AvatarMaker(get_client())


@pytest.mark.parametrize(
    ("changes", "is_usable"),
    [
        ({}, True),
        ({"status": "processing"}, False),
        ({"preview_image_url": None}, False),
        ({"image_width": 0}, False),
        ({"image_height": None}, False),
        ({"status": "polishing"}, False),
    ],
)
def test_a_look_is_usable_once_it_is_completed_and_has_a_picture(changes, is_usable):
    made = read_made_look(LOOK | changes)
    assert (made.is_usable, made.failure) == (is_usable, None)


def test_an_unknown_status_is_no_end():
    assert read_made_look(LOOK | {"status": "polishing"}).state is MakingState.PROCESSING


def test_a_failed_look_says_why():
    error = {"code": "training_failed", "message": "Footage is too short or too long"}
    failure = read_made_look(LOOK | {"status": "failed", "error": error}).failure
    assert failure is not None
    assert (failure.code, failure.operator_problem) == ("footage_refused", False)


@pytest.mark.parametrize(
    ("raw", "needs_consent"),
    [
        ({"status": "pending_consent"}, True),
        ({"status": "processing", "consent_status": "pending"}, True),
        ({"status": "processing", "consent_status": "approved"}, False),
        ({"status": "processing", "consent_status": None}, False),
        ({"status": "completed"}, False),
        ({"status": "completed", "consent_status": "Rejected"}, True),
        ({"status": "processing", "consent_status": "some new word"}, True),
        # HeyGen films what it calls complete, or says why not.
        ({"status": "completed", "consent_status": "some new word"}, False),
    ],
)
def test_a_group_tells_whether_the_person_must_agree(raw, needs_consent):
    assert read_made_group({"id": "group_1", **raw}).needs_consent is needs_consent


@pytest.mark.parametrize(
    ("status", "consent", "is_confirmed"),
    [
        ("completed", "approved", True),
        ("completed", "", True),
        ("processing", None, True),
        ("pending_consent", "approved", False),
        ("completed", "rejected", False),
        ("completed", "some new word", False),
    ],
)
def test_a_consent_is_confirmed_by_what_heygen_says_and_by_nothing_else(status, consent, is_confirmed):
    group = read_made_group({"id": "group_1", "status": status, "consent_status": consent})
    assert group.is_confirmed is is_confirmed


def test_a_cloned_voice_is_spelled_complete():
    assert read_made_voice({"voice_id": "v", "status": "complete"}).state is MakingState.COMPLETED


def test_a_failed_voice_has_a_text_alone():
    made = read_made_voice({"voice_id": "v", "status": "failed", "failure_message": "Insufficient credit."})
    assert made.failure is not None
    assert made.failure.operator_problem


@pytest.mark.parametrize("raw", [{}, {"event_data": None}, {"event_data": []}, {"event_data": {"avatar_id": 5.5}}])
def test_a_malformed_event_names_nothing(raw):
    assert ids_in_event(raw) == ("", "")


def test_an_asset_that_is_not_there_is_not_found(maker):
    with pytest.raises(NotFound):
        maker.create_avatar("photo", name="a", asset_id="nothing", idempotency_key="k")


def test_what_is_not_there_counts_as_deleted(maker):
    assert [maker.delete_look("x"), maker.delete_group("x"), maker.delete_voice("x")] == [False, False, False]


def test_a_public_look_is_not_deleted(maker):
    public = next(look for look in maker.client.iter_looks() if not look.is_private)
    with pytest.raises(Refused):
        maker.delete_look(public.id)


@pytest.mark.parametrize("identifier", ["", ".", ".."])
def test_an_empty_id_names_nothing(maker, identifier):
    with pytest.raises(ValueError, match="not an id"):
        maker.delete_group(identifier)


def test_a_garbled_answer_is_unknown(maker, sandbox):
    sandbox.fault(method="GET", path="/v3/avatars/looks", kind="garbage", times=3)
    with pytest.raises(Unknown):
        list(maker.iter_private_looks())
