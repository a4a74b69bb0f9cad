from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.forms import model_to_dict

from avatars import jobs
from avatars.catalogue_sync import SyncResult, sync_catalogue
from avatars.models import Avatar, Voice
from avatars.tests.heygen_double import HeyGenDouble, look, voice
from genvid.heygen import wire
from genvid.heygen.heygen_client import HeyGenClient, get_client
from genvid.heygen.heygen_errors import Unknown
from genvid.tests.asserts import nothing_changes, queries_of
from genvid.tests.factories import make_avatar, make_video
from genvid.tests.jobs import run_job

pytestmark = pytest.mark.django_db
OWNERSHIP = ("account", "is_own", "is_private", "is_released", "is_test", "status")


def sync(*looks, voices=None) -> SyncResult:
    return sync_catalogue(HeyGenDouble(list(looks), voices if voices is not None else [voice()]))


def available() -> dict[str, bool]:
    return dict(Avatar.objects.values_list("provider_id", "is_available"))


def test_a_new_look_becomes_an_avatar():
    sync(
        look(
            "look_1",
            name="Grace",
            kind="digital_twin",
            gender="Female",
            preview_image_url="https://files.heygen.ai/a.webp",
            preview_video_url="https://files.heygen.ai/a.mp4",
            engines=("avatar_iv",),
            orientation="portrait",
            tags=("NEW",),
        )
    )
    facts = model_to_dict(
        Avatar.objects.get(), exclude=["default_voice", "is_premium", "is_featured", "is_hidden", *OWNERSHIP]
    )
    assert facts == {
        "provider_id": "look_1",
        "name": "Grace",
        "gender": "female",
        "is_available": True,
        "kind": "digital_twin",
        "preview_image_url": "https://files.heygen.ai/a.webp",
        "preview_video_url": "https://files.heygen.ai/a.mp4",
        "engines": ["avatar_iv"],
        "orientation": "portrait",
        "tags": ["NEW"],
    }


def test_a_new_voice_becomes_a_voice():
    fields = {"gender": "Male", "preview_audio_url": "https://files.heygen.ai/a.wav", "supports_pause": True}
    sync(look(), voices=[voice("voice_1", name="Ada", language="German", supports_locale=True, **fields)])
    assert model_to_dict(Voice.objects.get(), exclude=["is_hidden", *OWNERSHIP]) == {
        "provider_id": "voice_1",
        "name": "Ada",
        "gender": "male",
        "is_available": True,
        "language": "German",
        "locale": "",
        "preview_audio_url": "https://files.heygen.ai/a.wav",
        "supports_pause": True,
        "supports_locale": True,
    }


def test_the_result_counts_what_was_listed_and_retired():
    sync(look("look_1"), look("look_2"))
    assert sync(look("look_1"), voices=[voice("voice_2")]) == SyncResult(avatars=1, voices=1, retired=2)


def test_a_look_speaks_with_its_own_voice():
    sync(look(default_voice_id="voice_2"), voices=[voice("voice_1"), voice("voice_2")])
    assert Avatar.objects.get().default_voice.provider_id == "voice_2"


@pytest.mark.parametrize("voice_id", [None, "", "never_listed"])
def test_a_look_whose_voice_is_not_listed_has_no_default_voice(voice_id):
    sync(look(default_voice_id=voice_id))
    assert Avatar.objects.get().default_voice is None


def test_a_changed_look_updates_its_avatar_under_the_same_id():
    sync(look(name="Grace"))
    before = Avatar.objects.get()
    sync(look(name="Grace Hopper"))
    after = Avatar.objects.get()
    assert (after.pk, after.name, after.created_at) == (before.pk, "Grace Hopper", before.created_at)


def test_a_repeated_sync_adds_nothing():
    sync(look("look_1"), look("look_2"))
    ids = set(Avatar.objects.values_list("pk", flat=True))
    assert sync(look("look_1"), look("look_2")).retired == 0
    assert set(Avatar.objects.values_list("pk", flat=True)) == ids


def test_a_look_listed_twice_is_one_avatar():
    sync(look("look_1", name="Old"), look("look_1", name="New"))
    assert Avatar.objects.get().name == "New"


def test_a_look_that_heygen_no_longer_lists_is_retired():
    sync(look("look_1"), look("look_2"))
    sync(look("look_1"))
    assert available() == {"look_1": True, "look_2": False}


def test_a_retired_row_is_not_changed_by_further_syncs():
    sync(look("look_1"), look("look_2"), voices=[voice("voice_1"), voice("voice_2")])
    sync(look("look_1"), voices=[voice("voice_1")])
    before = [model.objects.filter(is_available=False).values().get() for model in (Avatar, Voice)]
    assert sync(look("look_1"), voices=[voice("voice_1")]).retired == 0
    assert [model.objects.filter(is_available=False).values().get() for model in (Avatar, Voice)] == before


def test_a_look_that_is_listed_again_is_available_again():
    sync(look("look_1"), look("look_2"))
    sync(look("look_1"))
    sync(look("look_1"), look("look_2"))
    assert available() == {"look_1": True, "look_2": True}


def test_a_voice_that_disappears_is_retired_and_comes_back():
    sync(look(), voices=[voice("voice_1"), voice("voice_2")])
    sync(look(), voices=[voice("voice_1")])
    assert Voice.objects.get(provider_id="voice_2").is_available is False
    sync(look(), voices=[voice("voice_1"), voice("voice_2")])
    assert Voice.objects.get(provider_id="voice_2").is_available is True


def test_videos_keep_their_retired_avatar(owner):
    video = make_video(owner, avatar=make_avatar(provider_id="look_9"))
    sync(look("look_1"))
    video.avatar.refresh_from_db()
    assert (video.avatar.provider_id, video.avatar.is_available) == ("look_9", False)


def test_marks_of_staff_survive_a_sync():
    sync(look())
    Avatar.objects.update(is_hidden=True, is_premium=True, is_featured=True)
    Voice.objects.update(is_hidden=True, locale="en-US")
    sync(look(name="New"))
    avatar, voice = Avatar.objects.get(), Voice.objects.get()
    assert (avatar.is_hidden, avatar.is_premium, avatar.is_featured, avatar.name) == (True, True, True, "New")
    assert (voice.is_hidden, voice.locale) == (True, "en-US")


@pytest.mark.parametrize("fields", [{"kind": "hologram"}, {"is_ready": False}])
def test_looks_of_unknown_kind_or_in_training_are_left_out(fields):
    sync(look("look_1"), look("look_2", **fields))
    assert available() == {"look_1": True}


@pytest.mark.parametrize("fields", [{"kind": "hologram"}, {"is_ready": False}])
def test_a_list_without_usable_looks_still_updates_voices(fields):
    sync(look("look_1"), look("look_2"))
    sync(look("look_1", **fields), voices=[voice(name="New")])
    assert Voice.objects.get().name == "New"


@pytest.mark.parametrize(
    "heygen_double",
    [HeyGenDouble(), HeyGenDouble(looks=[look()]), HeyGenDouble(voices=[voice()])],
    ids=["nothing at all", "no voices", "no looks"],
)
def test_an_empty_list_changes_nothing(heygen_double):
    sync(look("look_1"))
    with nothing_changes():
        assert sync_catalogue(heygen_double) == SyncResult(0, 0, 0)


@pytest.mark.parametrize("half", [{"break_looks_after": 1}, {"break_voices_after": 1}])
def test_an_interrupted_list_changes_nothing(half):
    sync(look("look_1"), look("look_2"))
    heygen_double = HeyGenDouble([look("look_3"), look("look_4")], [voice("voice_3"), voice("voice_4")], **half)
    with nothing_changes(), pytest.raises(Unknown):
        sync_catalogue(heygen_double)


@pytest.mark.parametrize("field", ["name", "gender", "orientation"])
def test_an_overlong_text_does_not_stop_a_sync(field):
    sync(look("look_1", **{field: "x" * 1000}))
    assert available() == {"look_1": True}


def test_an_overlong_address_does_not_stop_a_sync():
    sync(look("look_1", preview_image_url="https://files.heygen.ai/?" + "x" * 3000))
    assert available() == {"look_1": True}


def test_a_thousand_looks_take_few_queries():
    looks = [look(f"look_{number}") for number in range(1_001)]
    assert queries_of(lambda: sync(*looks)) <= 18
    assert Avatar.objects.filter(is_available=True).count() == 1_001


class SmallPages(HeyGenClient):
    """The real client, turning a page every two rows."""

    def iter_looks(self):
        return self._pages("iter_looks", "/v3/avatars/looks", {"limit": "2"}, wire.read_look)

    def iter_voices(self):
        return self._pages("iter_voices", "/v3/voices", {"type": "public", "limit": "2"}, wire.read_voice)


def test_the_command_mirrors_the_sandbox_and_says_how_much(sandbox):
    out = StringIO()
    call_command("sync_avatars", stdout=out)
    avatars, voices = Avatar.objects.count(), Voice.objects.count()
    assert out.getvalue() == f"{avatars} avatars, {voices} voices; 0 retired.\n"
    assert (avatars > 2, voices > 2, Avatar.objects.exclude(default_voice=None).count() > 0) == (True, True, True)


def test_small_pages_give_the_same_catalogue_as_large_ones(sandbox):
    large = sync_catalogue(get_client())
    small = sync_catalogue(SmallPages(**vars(get_client())))
    assert (small, small.retired) == (large, 0)


def test_a_sync_that_fails_half_way_changes_nothing(sandbox):
    make_avatar()
    sandbox.fault(path="/v3/avatars/looks", status=500, times=10)
    with nothing_changes(), pytest.raises(Unknown):
        sync_catalogue(get_client())


def test_an_empty_catalogue_fills_itself_once(sandbox):
    run_job(jobs.SYNC_WHEN_EMPTY)
    first = set(Avatar.objects.values_list("updated_at", flat=True))
    run_job(jobs.SYNC_WHEN_EMPTY)
    assert set(Avatar.objects.values_list("updated_at", flat=True)) == first != set()


def test_the_command_reports_an_unreachable_heygen_and_changes_nothing(settings):
    settings.HEYGEN_BASE_URL = "http://127.0.0.1:9"
    make_avatar()
    with nothing_changes(), pytest.raises(CommandError, match="HeyGen did not answer as hoped"):
        call_command("sync_avatars")
