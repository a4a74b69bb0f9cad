"""The checks after a chaos run find what they look for."""

from typing import Any

import pytest

from avatars.models import Upload
from avatars.tests.own_entries import order
from genvid.tests.factories import make_speech, make_video
from videos.enums import SpeechStatus
from videos.lifecycle.video_actions import STUCK_CANCELED
from videos.models import Video, VideoEvent
from videos.tests.chaos.evidence import Evidence
from videos.tests.chaos.invariants import InvariantCheck
from videos.tests.chaos.own_invariants import CreationCheck
from videos.tests.chaos.speech_invariants import SpeechCheck
from videos.tests.chaos.upload_invariants import UploadCheck

pytestmark = pytest.mark.django_db


def made(kind: str, object_id: str, name: str = "", key: str = "", **facts: Any) -> dict[str, Any]:
    usual = {"group_id": "", "failure": None, "charged": 1, "is_present": True}
    return {"kind": kind, "object_id": object_id, "name": name, "idempotency_key": key} | usual | facts


def violations(check: Any, *made_objects: dict[str, Any]) -> list[str]:
    return list(check(Evidence([], [], list(made_objects))).violations())


def test_a_canceled_video_has_a_paid_render_only_if_its_customer_canceled_a_stuck_one(owner):
    queued, stuck = (make_video(owner, "canceled") for _ in range(2))
    VideoEvent.objects.create(video=stuck, from_status="rendering", to_status="canceled", reason=STUCK_CANCELED)

    def found(*rendered: Video) -> list[str]:
        renders = [
            {"id": f"render-{n}", "callback_id": str(each.pk), "status": "completed"} for n, each in enumerate(rendered)
        ]
        lines = InvariantCheck(Evidence([], renders, [])).violations()
        return [line.split("\n")[0] for line in lines if "paid renders" in line]

    assert found(stuck) == []
    assert set(found(stuck, queued, stuck)) == {
        f"{queued.pk} (canceled): has the paid renders ['render-1']",
        f"{stuck.pk} (canceled): has the paid renders ['render-0', 'render-2']",
    }


def test_an_asset_that_nobody_knows_does_not_hide_behind_a_missing_answer(owner):
    waits = Upload.objects.create(account=owner.account, kind="image", asset_key="key-1")
    sent = Upload.objects.create(account=owner.account, kind="image")
    found = violations(UploadCheck, made("asset", "asset-1", f"{sent.pk}.jpg", "key-2"))
    assert sorted(found) == [
        f"asset asset-1 is of {sent.pk} at HeyGen, here of None",
        f"upload {waits.pk} waits for its asset",
    ]


def test_an_upload_that_was_sent_twice_is_found_after_one_asset_is_deleted(owner):
    upload = Upload.objects.create(account=owner.account, kind="image", asset_key="key-2", provider_asset_id="asset-2")
    first = made("asset", "asset-1", f"{upload.pk}.jpg", "key-1", is_present=False)
    found = violations(UploadCheck, first, made("asset", "asset-2", f"{upload.pk}.jpg", "key-2"))
    assert found == [f"upload {upload.pk} was sent to HeyGen under 2 keys"]


def test_copies_that_nobody_knows_or_that_were_paid_twice_are_found(owner):
    creation = order(owner, stored=False)
    creation.status, creation.entry.status = "failed", "failed"
    creation.save()
    creation.entry.save()
    stranger = made("look", "look-3", "genvid 00000000-0000-4000-8000-000000000000 1", "key-3")
    copies = [made("look", f"look-{n}", f"{creation.marker} {n}", f"key-{n}", is_present=n == 2) for n in (1, 2)]
    found = violations(CreationCheck, *copies, stranger)
    about = f"photo_avatar {creation.pk} (failed): "
    assert f"HeyGen has made {stranger}, which nobody knows" in found
    assert f"{about}was made and paid more than once at HeyGen: ['look-1', 'look-2']" in found
    assert f"{about}HeyGen has [('look-2', '')], its row says ('', ''), attempt 0" in found


def test_a_speech_that_heygen_was_paid_for_twice_is_found(owner):
    speech = make_speech(owner, SpeechStatus.READY)
    spoken = [made("speech", f"{n}.wav", key=f"speech.{speech.pk}.{n}") for n in (1, 2)]
    found = violations(SpeechCheck, *spoken)
    assert f"speech {speech.pk} (ready): HeyGen was paid [1, 1] for it" in found
