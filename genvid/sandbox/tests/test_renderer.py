"""Real renders, small ones, read back with the codecs."""

import subprocess
import sys
import time
import wave
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import get_args, get_type_hints

import av
import numpy as np
import pytest
from PIL import Image

from genvid.sandbox.renderer.clip import render_clip
from genvid.sandbox.renderer.job import Rendered, RenderJob, UnreadableMedia
from genvid.sandbox.renderer.personas import PERSONAS, Persona
from genvid.sandbox.renderer.previews import preview_image, preview_video, voice_sample
from genvid.sandbox.renderer.script import Unspeakable, estimate_seconds, passages, speakable
from genvid.sandbox.renderer.speech import soundtrack, speak
from genvid.sandbox.renderer.studio import render
from genvid.sandbox.renderer.voice_profiles import VOICES

SCRIPT = "Hello there. Mama bought a new piano, and papa plays it."
JOB = RenderJob(SCRIPT, "ava", "clara", 320, 180, fps=15)


@dataclass(frozen=True)
class Film:
    """A rendered video read back: its frames as arrays, its samples."""

    files: Rendered
    frames: list[np.ndarray]
    sound: np.ndarray


def read_frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


def read_sound(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def srt_words(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [word for line in lines if "-->" not in line and not line.isdigit() for word in line.split()]


def mouth_of(frame: np.ndarray) -> np.ndarray:
    """The part of a 320x180 frame around the lips, which sit 540 units down the bust."""
    return frame[90:108, 148:172]


def difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).mean())


@pytest.fixture(scope="session")
def film(tmp_path_factory) -> Film:
    """One captioned render that most tests look at."""
    job = replace(JOB, burn_captions=True)
    files = render(job, tmp_path_factory.mktemp("film"))
    return Film(files, read_frames(files.video), read_sound(files.video))


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Rendered:
    return render_clip(replace(JOB, burn_captions=True), tmp_path_factory.mktemp("clip"))


@pytest.fixture
def recording(tmp_path) -> Path:
    """A second of tone between two half seconds of silence."""
    path = tmp_path / "tone.wav"
    tone = np.sin(np.arange(16_000) * 2 * np.pi * 220 / 16_000) * 20_000
    samples = np.concatenate([np.zeros(8_000), tone, np.zeros(8_000)]).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, len(samples), "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


class TestVideo:
    def test_a_video_holds_high_profile_h264_and_aac(self, film):
        with av.open(str(film.files.video)) as container:
            video, sound = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, video.profile, video.pix_fmt) == ("h264", "High", "yuv420p")
            assert (video.width, video.height, video.average_rate) == (320, 180, 15)
            assert sound.codec_context.name == "aac"

    def test_a_video_lasts_as_long_as_it_says(self, film):
        with av.open(str(film.files.video)) as container:
            assert container.duration / av.time_base == pytest.approx(film.files.duration, abs=1 / 15)
        assert len(film.frames) == round(film.files.duration * 15)

    def test_sound_lasts_as_long_as_the_pictures(self, film):
        assert len(film.sound) / 48_000 == pytest.approx(film.files.duration, abs=1 / 15)

    def test_the_index_of_a_video_comes_before_the_media(self, film):
        content = film.files.video.read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")

    def test_the_speech_of_a_video_is_heard(self, film):
        assert np.abs(film.sound).max() == pytest.approx(0.89, abs=0.1)

    def test_mouth_moves_while_speaking_and_rests_before(self, film):
        silent = [difference(mouth_of(film.frames[i]), mouth_of(film.frames[i + 1])) for i in range(4)]
        spoken = [difference(mouth_of(film.frames[i]), mouth_of(film.frames[i + 1])) for i in range(8, 38)]
        assert np.mean(spoken) > 3 * np.mean(silent)

    def test_same_job_gives_the_same_pictures_and_sound(self, film, tmp_path):
        again = render(replace(JOB, burn_captions=True), tmp_path)
        assert np.array_equal(read_frames(again.video), film.frames)
        assert np.array_equal(read_sound(again.video), film.sound)

    @pytest.mark.parametrize(("width", "height"), [(90, 160), (90, 90), (90, 112), (112, 90)])
    def test_a_video_comes_in_every_format(self, tmp_path, width, height):
        job = replace(JOB, script="Hi.", width=width, height=height, fps=5)
        assert read_frames(render(job, tmp_path).video)[0].shape == (height, width, 3)

    def test_a_video_above_720_lines_is_scaled_up(self, tmp_path):
        job = replace(JOB, script="Hi.", width=1920, height=1080, fps=2)
        assert read_frames(render(job, tmp_path).video)[0].shape == (1080, 1920, 3)


class TestCompanions:
    def test_captions_change_the_lower_part_only(self, film):
        plain, captioned = film.frames[20], read_frames(film.files.captioned_video)[20]
        assert difference(plain[150:, 100:220], captioned[150:, 100:220]) > 10
        assert difference(plain[:100], captioned[:100]) < 1

    def test_no_captioned_video_unless_asked(self, tmp_path):
        files = render(replace(JOB, script="Hi.", fps=5), tmp_path)
        assert files.captioned_video is None
        assert not (tmp_path / "captioned.mp4").exists()

    def test_subtitles_hold_the_words_in_order(self, film):
        assert srt_words(film.files.subtitles) == SCRIPT.split()

    def test_subtitles_have_numbered_timed_cues(self, film):
        lines = film.files.subtitles.read_text().splitlines()
        assert lines[0] == "1"
        assert lines[1].startswith("00:00:00,")
        assert lines[2] == "Hello there."

    def test_thumbnail_is_a_jpeg_of_the_drawn_size(self, film):
        with Image.open(film.files.thumbnail) as picture:
            assert (picture.format, picture.size) == ("JPEG", (320, 180))

    def test_preview_is_a_moving_gif(self, film):
        with Image.open(film.files.gif) as picture:
            assert picture.format == "GIF"
            assert picture.n_frames > 5


class TestPictures:
    def test_every_persona_looks_different(self, tmp_path):
        stills = {}
        for key in PERSONAS:
            preview_image(key, tmp_path / f"{key}.jpg")
            with Image.open(tmp_path / f"{key}.jpg") as picture:
                stills[key] = np.asarray(picture.resize((160, 90))).astype(int)[:, 50:110]
        assert all(difference(stills[one], stills[other]) > 8 for one, other in combinations(stills, 2))

    def test_background_colour_fills_the_corners(self, tmp_path):
        job = replace(JOB, script="Hi.", fps=5, color="#00b050")
        frame = read_frames(render(job, tmp_path).video)[0]
        assert frame[2, 2] == pytest.approx([0, 176, 80], abs=4)
        assert frame[177, 317] == pytest.approx([0, 176, 80], abs=4)

    def test_breathing_never_lifts_the_bust_off_the_lower_edge(self, tmp_path):
        job = replace(JOB, color="#00ff00", width=640, height=360)
        frames = read_frames(render(job, tmp_path).video)
        assert max(frame[-1, 320, 1] for frame in frames) < 150

    def test_background_picture_fills_the_frame(self, tmp_path):
        Image.new("RGB", (40, 90), "#c81e1e").save(tmp_path / "wall.png")
        job = replace(JOB, script="Hi.", fps=5, backdrop=tmp_path / "wall.png")
        frame = read_frames(render(job, tmp_path).video)[0]
        assert frame[2, 2] == pytest.approx([200, 30, 30], abs=4)

    def test_picture_given_takes_the_place_of_the_presenter(self, tmp_path):
        Image.new("RGB", (400, 300), "#2040c0").save(tmp_path / "portrait.png")
        job = replace(JOB, script="Hi.", fps=5, image=tmp_path / "portrait.png")
        frame = read_frames(render(job, tmp_path).video)[0]
        assert frame[90, 160] == pytest.approx([32, 64, 192], abs=4)

    def test_a_picture_that_is_none_is_refused(self, tmp_path):
        (tmp_path / "notes.png").write_text("not a picture")
        with pytest.raises(UnreadableMedia):
            render(replace(JOB, image=tmp_path / "notes.png"), tmp_path)

    def test_a_colour_that_is_none_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="#rrggbb"):
            render(replace(JOB, color="blue"), tmp_path)


class TestSpeech:
    def test_english_voices_differ_in_sound(self):
        spoken = [speak("Hello there.", voice) for voice in VOICES.values() if voice.language == "English"]
        assert all(
            one.duration != other.duration or not np.array_equal(one.samples, other.samples)
            for one, other in combinations(spoken, 2)
        )

    def test_women_speak_higher_than_men(self):
        assert main_pitch("clara") > 180 > 160 > main_pitch("grant")

    def test_breaks_lengthen_the_speech_by_their_time(self):
        plain, paused = (
            speak("One. Two.", VOICES["clara"]),
            speak('One. <break time="1.5s"/> Two.', VOICES["clara"]),
        )
        assert paused.duration - plain.duration == pytest.approx(1.5, abs=0.05)

    def test_speed_shortens_the_speech(self):
        assert speak(SCRIPT, VOICES["clara"], speed=1.5).duration < speak(SCRIPT, VOICES["clara"]).duration * 0.8

    def test_volume_scales_the_sound(self):
        assert np.abs(soundtrack(replace(JOB, volume=0.5)).samples).max() == pytest.approx(0.445, abs=0.01)

    def test_words_follow_one_another(self):
        starts = [word.start for word in speak(SCRIPT, VOICES["clara"]).words]
        assert starts == sorted(starts)

    @pytest.mark.parametrize("voice", [key for key, voice in VOICES.items() if voice.engine == "espeak"])
    def test_other_languages_come_with_words_and_phonemes(self, voice):
        speech = speak("Hola, la casa 25 niño.", VOICES[voice])
        assert [word.text for word in speech.words] == ["Hola,", "la", "casa", "25", "niño."]
        assert len(speech.phonemes) > 10

    def test_a_script_in_another_alphabet_is_still_spoken(self):
        assert speak("你好", VOICES["clara"]).duration > 0.5

    def test_words_the_model_cannot_say_stay_in_the_subtitles(self):
        assert [word.text for word in speak("Hello. 你好 Bye.", VOICES["clara"]).words] == [
            "Hello.",
            "你好",
            "Bye.",
        ]

    def test_the_longest_script_keeps_every_word(self):
        script = ("word " * 1000).strip()
        assert len(speak(script, VOICES["lucia"]).words) == 1000

    def test_a_recording_opens_the_mouth_where_it_is_loud(self, tmp_path, recording):
        files = render(replace(JOB, script="", audio=recording), tmp_path)
        frames = read_frames(files.video)
        assert difference(mouth_of(frames[20]), mouth_of(frames[5])) > 10
        assert files.subtitles.read_text() == ""

    def test_a_recording_that_is_none_is_refused(self, tmp_path):
        (tmp_path / "notes.mp3").write_text("not a recording")
        with pytest.raises(UnreadableMedia):
            render(replace(JOB, audio=tmp_path / "notes.mp3"), tmp_path)

    @pytest.mark.parametrize("script", ["①", "٣", "9" * 60, "a\x00b", "½ of ²", "http://a.b/c?d=e&f"])
    @pytest.mark.parametrize("voice", ["clara", "lucia"])
    def test_odd_characters_are_spoken_and_written_as_they_are(self, script, voice):
        speech = speak(script, VOICES[voice])
        assert speech.samples.any()
        # What is too long for a caption's line is shown in parts.
        assert "".join(word.text for word in speech.words) == "".join(script.split())

    @pytest.mark.parametrize("renderer", [render, render_clip])
    @pytest.mark.parametrize("script", ["...", "🙂", '<break time="1s"/>', " "])
    def test_a_script_without_words_is_unspeakable(self, tmp_path, renderer, script):
        assert not speakable(script)
        with pytest.raises(Unspeakable):
            renderer(replace(JOB, script=script), tmp_path)

    @pytest.mark.parametrize("script", ["a", "7", "…x", "é"])
    def test_one_alphanumeric_character_is_speakable(self, script):
        assert speakable(script)
        assert speak(script, VOICES["clara"]).samples.any()


def main_pitch(voice: str) -> float:
    """The strongest period of the voice between 80 and 350 Hz, in Hz."""
    speech = speak("Aaah, mama.", VOICES[voice])
    middle = speech.samples[speech.rate // 3 : speech.rate * 2 // 3]
    echo = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    shortest, longest = speech.rate // 350, speech.rate // 80
    return speech.rate / (shortest + int(np.argmax(echo[shortest:longest])))


class TestEstimate:
    def test_the_estimate_counts_150_words_a_minute(self):
        assert estimate_seconds("word " * 150) - estimate_seconds("word") == pytest.approx(59.6)

    @pytest.mark.parametrize("joiner", [" ", ",", "-", "/", ".", "_", "\u2014", "\u200b"])
    def test_the_estimate_counts_words_whatever_joins_them(self, joiner):
        assert estimate_seconds(joiner.join(["hello"] * 200)) == pytest.approx(80.9)

    def test_the_estimate_of_an_endless_word_grows_with_it(self):
        assert estimate_seconds("a" * 3000) == pytest.approx(200.9)

    @pytest.mark.parametrize(
        "tag", ['<break time="500ms"/>', '<BREAK time="1s"/>', "<break time='1s'/>", '<break time="1s">', "<break/>"]
    )
    def test_what_is_no_pause_at_heygen_is_read_aloud(self, tag):
        assert [passage.pause for passage in passages(f"One {tag} two")] == [0.0]
        assert [passage.pause for passage in passages('One<break time="1s"/>two')] == [0.0]

    def test_the_estimate_adds_breaks(self):
        paused = 'One <break time="1s"/> <break time="0.5s" /> two'
        assert estimate_seconds(paused) - estimate_seconds("One two") == pytest.approx(1.5)

    def test_the_estimate_of_faster_speech_is_lower(self):
        assert estimate_seconds(SCRIPT, 2.0) < estimate_seconds(SCRIPT)

    def test_the_estimate_is_near_the_real_length(self, film):
        assert estimate_seconds(SCRIPT) == pytest.approx(film.files.duration, rel=0.35)


class TestPreviews:
    def test_preview_video_is_a_few_seconds_at_360_lines(self, tmp_path):
        preview_video("kenji", tmp_path / "kenji.mp4")
        with av.open(str(tmp_path / "kenji.mp4")) as container:
            assert (container.streams.video[0].width, container.streams.video[0].height) == (640, 360)
            assert 2 < container.duration / av.time_base < 9
        assert [file.name for file in tmp_path.iterdir()] == ["kenji.mp4"]

    def test_voice_sample_is_audible(self, tmp_path):
        voice_sample("lucia", tmp_path / "v.wav")
        assert np.abs(read_sound(tmp_path / "v.wav")).max() > 0.3 * 32768


class TestClip:
    def test_a_clip_has_real_streams_and_the_estimated_length(self, clip):
        with av.open(str(clip.video)) as container:
            names = [stream.codec_context.name for stream in container.streams]
            assert names == ["h264", "aac"]
            assert container.streams.video[0].profile == "High"
            assert container.duration / av.time_base == pytest.approx(estimate_seconds(SCRIPT), abs=1 / 5)

    def test_a_clip_keeps_the_proportions(self, tmp_path):
        files = render_clip(replace(JOB, width=1080, height=1920), tmp_path)
        assert read_frames(files.video)[0].shape == (160, 90, 3)

    def test_a_clip_says_how_long_it_is(self, clip):
        assert len(read_frames(clip.video)) / 5 == clip.duration

    def test_the_index_of_a_clip_comes_before_the_media(self, clip):
        content = clip.video.read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")

    def test_a_clip_comes_with_the_same_files(self, clip):
        with Image.open(clip.thumbnail) as thumbnail, Image.open(clip.gif) as gif:
            assert (thumbnail.format, gif.format, gif.n_frames) == ("JPEG", "GIF", 2)
        assert srt_words(clip.subtitles) == SCRIPT.split()

    def test_a_captioned_clip_differs_from_a_plain_one(self, clip):
        assert difference(read_frames(clip.video)[0], read_frames(clip.captioned_video)[0]) > 10

    def test_the_colour_of_a_clip_tells_scripts_apart(self, clip, tmp_path):
        other = render_clip(replace(JOB, script="Another script."), tmp_path)
        assert difference(read_frames(clip.video)[0], read_frames(other.video)[0]) > 10

    def test_a_clip_costs_little(self, tmp_path):
        costs = []
        for attempt in range(5):
            begun = time.process_time()
            render_clip(JOB, tmp_path / str(attempt))
            costs.append(time.process_time() - begun)
        assert min(costs) < 0.06


def test_personas_and_voices_load_without_codecs_or_models():
    heavy = ("av", "onnxruntime", "PIL", "numpy", "hibari")
    imported = "genvid.sandbox.renderer.personas, genvid.sandbox.renderer.voice_profiles"
    code = f"import sys, {imported}; print([m for m in {heavy!r} if m in sys.modules])"
    root = Path(__file__).parents[3]
    loaded = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("field", [name for name, kind in get_type_hints(Persona).items() if get_args(kind)])
def test_the_file_of_personas_uses_the_words_that_the_renderer_knows(field):
    kind = get_type_hints(Persona)[field]
    values = [getattr(persona, field) for persona in PERSONAS.values()]
    assert [value for value in values if not (isinstance(value, list) or value in get_args(kind))] == []


def test_personas_speak_with_voices_of_the_catalogue():
    assert {persona.default_voice for persona in PERSONAS.values()} <= VOICES.keys()
    assert all(VOICES[persona.default_voice].gender == persona.gender for persona in PERSONAS.values())
