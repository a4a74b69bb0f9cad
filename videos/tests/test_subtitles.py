"""Conversion of SRT subtitles to WebVTT."""

import pytest

from genvid.tests.properties import given, st
from videos.media.subtitles import vtt_of

CUE = "1\n00:00:01,000 --> 00:00:02,500\nHello.\n"
AS_VTT = b"WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.500\nHello.\n"


@pytest.mark.parametrize("text", [CUE, CUE.replace("\n", "\r\n"), CUE.replace("\n", "\r"), "\ufeff" + CUE, "\n" + CUE])
def test_cues_in_any_notation_become_the_same_webvtt(text):
    assert vtt_of(text.encode()) == AS_VTT


@pytest.mark.parametrize("times", ["00:01,000 --> 00:02,500", "0:00:01.000 --> 00:00:02,5", "00:00:01,0-->0:02,50"])
def test_cue_times_are_written_out_in_full(times):
    assert vtt_of(f"1\n{times}\nHello.\n".encode()) == AS_VTT


def test_subtitle_cues_stay_separate():
    assert vtt_of((CUE + "\n\n\n" + CUE.replace("1\n0", "2\n0", 1)).encode()).count(b"\n\n") == 2


def test_commas_in_subtitle_text_stay():
    assert b"One, two, 00:01 and 3,50." in vtt_of(CUE.replace("Hello.", "One, two, 00:01 and 3,50.").encode())


def test_markup_in_subtitles_is_escaped():
    assert b"A &amp; B &lt;b&gt;" not in vtt_of(CUE.encode())
    assert b"A &amp; B &lt;c>" in vtt_of(CUE.replace("Hello.", "A & B <c>").encode())


def test_no_captions_are_an_empty_track():
    assert vtt_of(b"") == b"WEBVTT\n\n\n"


@given(st.binary(max_size=200))
def test_random_bytes_as_subtitles_are_converted(srt):
    assert vtt_of(srt).startswith(b"WEBVTT\n\n")
