"""Pauses in scripts: notation, what is sent to HeyGen, and what is refused."""

from decimal import Decimal
from typing import Any

import pytest

from genvid.tests.asserts import data_of, nothing_changes, wrong_fields_of
from genvid.tests.factories import make_avatar, make_video, make_voice
from genvid.tests.properties import given, settings, st
from videos.models import Video
from videos.pipeline import submission
from videos.queue import estimates
from videos.speech import markup

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
VIDEOS, QUOTE, BATCHES = "/api/v1/videos", "/api/v1/videos/quote", "/api/v1/batches"
MEANT = {
    '<break time="1.5s"/>': "1.5",
    '<break time="1500ms"/>': "1.5",
    '<break time="500ms"/>': "0.5",
    "<break time='2s'/>": "2",
    "<break time=“1s”/>": "1",
    "<break time=”1s”/>": "1",
    "<break time=„1s“ />": "1",
    "<break time=«1s»/>": "1",
    "<break time=1s/>": "1",
    "<break time=750ms>": "0.75",
    '<BREAK TIME="2S"/>': "2",
    '<Break Time="250 MS" >': "0.25",
    '<break time="1s"></break>': "1",
    '<break time="1s"> </BREAK >': "1",
    '<break time="1,5s"/>': "1.5",
    '<break time=".5s"/>': "0.5",
    '<break time="2 seconds"/>': "2",
    '<break strength="strong" time="1s"/>': "1",
    '<break\n  time = "1s"\n/>': "1",
    "< break time='1s' / >": "1",
    '<break time="0s"/>': "0",
    '<break time="120s"/>': "120",
}
REFUSED = {
    '<break strength="strong"/>': '<break strength="strong"/>',
    "<break/>": "<break/>",
    "<break />": "<break />",
    '<break time="3"/>': '<break time="3"/>',
    '<break time="-1s"/>': '<break time="-1s"/>',
    '<break time="1e3s"/>': '<break time="1e3s"/>',
    '<break time="1m"/>': '<break time="1m"/>',
    '<break time="1s" time="2s"/>': '<break time="1s" time="2s"/>',
    '<break time="1s" src="x"/>': '<break time="1s" src="x"/>',
    '<break time="1s"': '<break time="1s"',
    "</break>": "</break>",
    "<speak>Hi</speak>": "<speak>",
    "Hi</speak>": "</speak>",
    '<prosody rate="slow">Hi</prosody>': '<prosody rate="slow">',
    "<emphasis>Hi</emphasis>": "<emphasis>",
    '<say-as interpret-as="date">1.5.</say-as>': '<say-as interpret-as="date">',
    "<p>Hi</p>": "<p>",
    "Hi<br>": "<br>",
    "<b>Hi</b>": "<b>",
    "Hi <name>": "<name>",
    "<mstts:express-as style='sad'>Hi": "<mstts:express-as style='sad'>",
    "<pause>": "<pause>",
    "<!-- Hi -->": "<!-- Hi -->",
    "<?xml version='1.0'?>": "<?xml version='1.0'?>",
    '&lt;break time="1s"/&gt; Hi': '&lt;break time="1s"/&gt;',
}
"""Scripts with a tag that is no pause, and how the refusal names it."""
PLAIN = [
    "3 < 5",
    "I <3 you",
    "a<b",
    "a <b and c> d",
    "1 <p",
    "x < s > y",
    "<-",
    "->",
    "<>",
    "<ada@example.com>",
    "<https://e.com/a>",
    "<",
]


@pytest.fixture
def pausing() -> Any:
    return make_avatar(default_voice=make_voice(name="Ada", supports_pause=True))


def payload_for(avatar: Any, script: str) -> dict[str, Any]:
    return {"script": script, "avatar_id": str(avatar.pk)}


def details_of(response: Any) -> dict[str, str]:
    assert wrong_fields_of(response)
    details: dict[str, str] = response.json()["error"]["details"]
    return details


# ── Reading


@pytest.mark.parametrize(("tag", "seconds"), MEANT.items())
def test_usual_ways_to_write_a_pause_are_understood(tag, seconds):
    script = f"Hello {tag} you"
    assert markup.pauses_of(script) == [Decimal(seconds)]
    assert markup.on_the_wire(script) == f'Hello <break time="{seconds}s"/> you'
    assert list(markup.tags_of(script)) == []


@pytest.mark.parametrize(("tag", "seconds"), MEANT.items())
def test_a_pause_counts_by_its_seconds(tag, seconds):
    plain = estimates.length_of("Hello you").expected
    assert estimates.length_of(f"Hello {tag} you").expected == pytest.approx(plain + float(seconds))


@pytest.mark.parametrize(("script", "named"), REFUSED.items())
def test_tags_other_than_pauses_are_named(script, named):
    with pytest.raises(markup.UnknownTag) as caught:
        markup.require_known_tags(f"Well. {script}")
    assert str(caught.value).startswith(f"{named} is ")


@pytest.mark.parametrize("script", PLAIN)
def test_an_angle_bracket_that_begins_no_tag_is_text(script):
    markup.require_known_tags(script)
    assert markup.on_the_wire(script) == script


def test_a_pause_is_sent_with_a_space_on_either_side():
    script = 'One<break time="1s"/>two <break time="1s"/>\nthree<break time="1s"/>'
    assert markup.on_the_wire(script) == ('One <break time="1s"/> two <break time="1s"/>\nthree <break time="1s"/>')


@QUICK
@given(st.text(alphabet=st.sampled_from("a <>/=\"'“1s.m\nbreak"), max_size=60))
def test_normalising_pauses_twice_changes_nothing_more(text):
    once = markup.on_the_wire(text)
    assert markup.on_the_wire(once) == once
    assert markup.pauses_of(once) == markup.pauses_of(text)


@QUICK
@given(st.text(max_size=200))
def test_a_script_without_pauses_is_unchanged(text):
    if "<" not in text:
        assert markup.on_the_wire(text) == text


def test_a_long_tag_is_named_by_its_beginning():
    with pytest.raises(markup.UnknownTag) as caught:
        markup.require_known_tags(f'<img src="{"x" * 4000}">')
    assert len(str(caught.value)) < 200


# ── Over the API


@pytest.mark.django_db
@pytest.mark.parametrize("path", [VIDEOS, QUOTE])
def test_a_tag_in_a_script_is_refused_with_the_field_named(owner, pausing, path):
    with nothing_changes():
        response = owner.client.post(path, payload_for(pausing, "<speak>Hello</speak>"))
    assert details_of(response)["script"].startswith("<speak> is a tag that voices do not understand")


@pytest.mark.django_db
def test_a_script_is_stored_as_sent_and_ordered_as_the_voice_reads_it(owner, pausing):
    script = "Hello<BREAK time=“1500ms”>you. 3 < 5"
    video = data_of(owner.client.post(VIDEOS, payload_for(pausing, script)), 201)
    assert video["script"] == script
    row = Video.objects.select_related("avatar", "voice").get()
    assert (row.script, row.estimated_seconds) == (script, 5)
    assert submission.spec_of(row, str).script == 'Hello <break time="1.5s"/> you. 3 < 5'


@pytest.mark.django_db
@pytest.mark.parametrize("path", [VIDEOS, QUOTE])
def test_a_pause_needs_a_voice_that_has_pauses(owner, path):
    avatar = make_avatar(default_voice=make_voice(name="Ada"))
    with nothing_changes():
        response = owner.client.post(path, payload_for(avatar, 'Hello <break time="1s"/> you'))
    assert details_of(response)["script"].startswith('The voice "Ada" makes no pauses')


@pytest.mark.django_db
def test_a_draft_may_not_get_a_tag_nor_a_voice_without_its_pauses(owner, pausing):
    video = make_video(owner, "draft", avatar=pausing, script='Hello <break time="1s"/> you')
    path, voice = f"{VIDEOS}/{video.pk}", make_voice()
    with nothing_changes():
        assert wrong_fields_of(owner.client.patch(path, {"script": "<b>Hello</b>"})) == ["script"]
        assert wrong_fields_of(owner.client.patch(path, {"voice_id": str(voice.pk)})) == ["script"]


@pytest.mark.django_db
def test_a_draft_whose_voice_lost_its_pauses_is_not_ordered(owner, pausing):
    video = make_video(owner, "draft", avatar=pausing, script='Hello <break time="1s"/> you')
    pausing.default_voice.supports_pause = False
    pausing.default_voice.save()
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(f"{VIDEOS}/{video.pk}/generate")) == ["script"]


@pytest.mark.django_db
def test_an_old_video_with_a_tag_cannot_be_retried(owner, pausing):
    video = make_video(owner, "failed", avatar=pausing)
    Video.objects.filter(pk=video.pk).update(script="<speak>Hello</speak>")
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(f"{VIDEOS}/{video.pk}/retry")) == ["script"]


@pytest.mark.django_db
def test_a_script_that_grows_beyond_the_limit_when_normalised_is_refused(owner, pausing):
    script = 'ab<break time="0.1s"/>' * 227
    assert len(script) <= 5000
    with nothing_changes():
        response = owner.client.post(VIDEOS, payload_for(pausing, script))
    assert "with a space around each pause" in details_of(response)["script"]


# ── In batches


@pytest.fixture
def batch(pausing) -> dict[str, Any]:
    script = 'Hello {{name}}, <break time="{{wait}}"/> welcome.'
    return payload_for(pausing, script) | {"rows": [{"name": "Ada", "wait": "500ms"}, {"name": "Bob", "wait": "2s"}]}


@pytest.mark.django_db
def test_the_rows_of_a_batch_may_fill_the_length_of_a_pause(owner, batch):
    data_of(owner.client.post(BATCHES, batch), 201)
    first, second = Video.objects.select_related("avatar", "voice").order_by("batch_row")
    assert submission.spec_of(first, str).script == 'Hello Ada, <break time="0.5s"/> welcome.'
    assert first.script == 'Hello Ada, <break time="500ms"/> welcome.'
    assert second.estimated_seconds > first.estimated_seconds


@pytest.mark.django_db
@pytest.mark.parametrize("path", [BATCHES, f"{BATCHES}/quote"])
def test_a_batch_row_that_makes_a_tag_is_named(owner, batch, path):
    batch["rows"] += [{"name": "<b>Cyd</b>", "wait": "1s"}, {"name": "Dan", "wait": "long"}]
    with nothing_changes():
        details = details_of(owner.client.post(path, batch))
    assert sorted(details) == ["rows.2.script", "rows.3.script"]
    assert details["rows.2.script"].startswith("<b> is a tag")
    assert details["rows.3.script"].startswith('<break time="long"/> is no pause')


@pytest.mark.django_db
def test_a_tag_in_the_script_of_a_batch_is_named_once(owner, batch):
    batch["script"] = "<speak>Hello {{name}}</speak>"
    with nothing_changes():
        details = details_of(owner.client.post(BATCHES, batch))
    assert list(details) == ["script"]


@pytest.mark.django_db
def test_a_batch_needs_a_voice_that_has_pauses(owner, batch):
    batch["voice_id"] = str(make_voice(name="Cyd").pk)
    with nothing_changes():
        details = details_of(owner.client.post(BATCHES, batch))
    assert all(message.startswith('The voice "Cyd" makes no pauses') for message in details.values())
    assert sorted(details) == ["rows.0.script", "rows.1.script"]
