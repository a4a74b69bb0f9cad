"""The parts of `restore_check` that look at videos: their files, and renders at HeyGen without a row."""

from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db.models import F

from billing.models import Wallet
from genvid.tests.factories import make_video
from videos.models import Video, VideoEvent

pytestmark = pytest.mark.django_db


def said_by(command: str, **options: object) -> str:
    out = StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


def refusal_of(command: str, **options: object) -> str:
    with pytest.raises(CommandError) as refused:
        call_command(command, stdout=StringIO(), **options)
    assert refused.value.returncode == 1
    return str(refused.value)


def stored(owner, name: str) -> Video:
    video = make_video(owner, "completed")
    Video.objects.filter(pk=video.pk).update(file=name, thumbnail="")
    default_storage.save(name, ContentFile(b"a film"))
    return video


@pytest.mark.parametrize("sample", [0, 1, 10])
def test_completed_videos_with_their_files_pass(owner, sample):
    for name in ("a.mp4", "b.mp4"):
        stored(owner, f"videos/check/{name}")
    assert said_by("check_files", sample=sample) == f"{min(2, sample or 2)} videos have their files.\n"


def test_a_missing_file_is_named(owner):
    stored(owner, "videos/check/kept.mp4")
    gone = stored(owner, "videos/check/gone.mp4")
    gone.refresh_from_db()
    default_storage.delete(gone.file.name)
    assert refusal_of("check_files") == f"1 files are missing:\n{gone.file.name}"


def test_a_video_whose_files_have_expired_is_not_looked_at(owner):
    video = stored(owner, "videos/check/expired.mp4")
    Video.objects.filter(pk=video.pk).update(expired_at=F("created_at"), file="")
    assert said_by("check_files") == "0 videos have their files.\n"


def test_a_render_whose_video_is_here_passes(pipeline, owner):
    pipeline.run(pipeline.order(owner))
    assert said_by("check_renders") == "HeyGen has no render that no video here knows.\n"


def test_a_render_at_heygen_without_a_row_here_is_named(pipeline, owner):
    video = pipeline.run(pipeline.order(owner))
    pipeline.run(pipeline.order(owner))
    VideoEvent.objects.filter(video=video).delete()
    Video.objects.filter(pk=video.pk).delete()
    (line,) = refusal_of("check_renders").splitlines()[1:]
    assert line.startswith(f"{video.provider_video_id}: {video.provider_title} (")


def test_a_silent_heygen_fails_the_check():
    assert refusal_of("check_renders").startswith("HeyGen refused or did not answer: ")


def test_restore_check_names_each_part_and_fails_for_those_that_are_not_whole(owner):
    gone = stored(owner, "videos/check/lost.mp4")
    gone.refresh_from_db()
    default_storage.delete(gone.file.name)
    Wallet.objects.update(balance=F("balance") + 1)
    out = StringIO()
    with pytest.raises(CommandError, match=r"^Not whole: ledger, files\.$"):
        call_command("restore_check", "--offline", stdout=out)
    told = out.getvalue()
    assert told.splitlines()[0] == "migrations: all applied."
    assert "ledger: The ledger does not prove" in told
    assert "files: 1 files are missing" in told


def test_restore_check_asks_stripe_and_heygen_unless_it_is_offline(owner):
    out = StringIO()
    with pytest.raises(CommandError, match=r"^Not whole: renders\.$"):
        call_command("restore_check", stdout=out)
    assert "stripe: Customers and subscriptions are as at Stripe." in out.getvalue()
    assert "renders: HeyGen refused or did not answer" in out.getvalue()
