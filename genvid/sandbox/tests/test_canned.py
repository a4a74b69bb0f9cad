import pytest

from genvid.sandbox.heygen.render_queue import spread_factor
from genvid.sandbox.tests.sandbox_client import Client, refusal_of


@pytest.fixture
def canning(client: Client) -> Client:
    client.sandbox.configure(renderer="canned")
    return client


def test_canned_videos_of_one_shape_are_one_film(canning: Client) -> None:
    one, other = canning.finish(script="One."), canning.finish(script="Quite another script, and a longer one.")

    assert canning.get(one["video_url"]).content == canning.get(other["video_url"]).content
    assert one["duration"] == other["duration"]


def test_canned_videos_of_two_shapes_are_two_films(canning: Client) -> None:
    wide, tall = canning.finish(aspect_ratio="16:9"), canning.finish(aspect_ratio="9:16")

    assert canning.get(wide["video_url"]).content != canning.get(tall["video_url"]).content


def test_a_canned_video_comes_with_all_its_files(canning: Client) -> None:
    made = canning.finish()

    codes = {canning.get(made[name]).status_code for name in ("video_url", "subtitle_url", "thumbnail_url", "gif_url")}

    assert codes == {200}


def test_deleting_one_canned_video_leaves_the_others(canning: Client) -> None:
    one, other = canning.finish(), canning.finish()

    canning.delete(f"/v3/videos/{one['id']}")

    assert canning.get(other["video_url"]).status_code == 200


def test_an_unknown_renderer_is_refused(client: Client) -> None:
    answer = client.patch("/_sandbox/settings", json={"renderer": "quantum"})

    assert refusal_of(answer) == (400, "invalid_parameter", "renderer")


def test_without_spread_all_renders_take_the_same_time() -> None:
    assert {spread_factor(video_id, 0.0) for video_id in ("a", "b", "c")} == {1.0}


def test_with_spread_each_id_draws_its_own_factor_around_one() -> None:
    drawn = sorted(spread_factor(str(number), 0.3) for number in range(999))

    assert drawn == sorted(spread_factor(str(number), 0.3) for number in range(999))
    assert (len(set(drawn)), round(drawn[499], 1)) == (999, 1.0)
