import time

import psutil

from genvid.sandbox import contract
from genvid.sandbox.app import HEYGEN
from genvid.sandbox.tests.client import Client, wait_for

OURS = {"video", "avatar", "voice", "user", "webhook", "asset"}


def test_every_operation_of_our_tags_is_answered() -> None:
    paths = contract.document()["paths"].items()
    wanted = {(m.upper(), path) for path, item in paths for m, one in item.items() if OURS & set(one["tags"])}

    assert {(one.method, one.path) for module in HEYGEN for one in module.OPERATIONS} == wanted


def test_a_killed_sandbox_goes_on_where_it_was(client: Client) -> None:
    made = [client.make(script=f"Hello. {word}") for word in ("[[stuck]]", "[[slow:1]]", "", "")]

    client.sandbox.kill()
    client.sandbox.start()

    wait_for(lambda: [client.status(one) for one in made] == ["processing", *["completed"] * 3])
    assert [video["creates"] for video in client.sandbox.books()["videos"]] == [1] * 4


def test_a_completed_video_is_charged_once_whatever_happens(client: Client) -> None:
    video = client.finish()
    client.sandbox.kill()
    client.sandbox.start()

    assert client.sandbox.books()["wallet"] == round(1000 - 0.0667 * video["duration"], 6)


def test_a_killed_sandbox_leaves_no_children(client: Client) -> None:
    children = _with_children(client)

    client.sandbox.kill()

    wait_for(lambda: not any(_alive(child) for child in children))


def test_a_stopped_sandbox_leaves_none_either_and_is_quick(client: Client) -> None:
    children = _with_children(client)
    begun = time.monotonic()

    client.sandbox.stop()

    assert time.monotonic() - begun < 3
    assert [child for child in children if _alive(child)] == []


def test_renders_run_at_low_priority(client: Client) -> None:
    assert {child.nice() for child in _with_children(client)} == {10}


def test_a_crashed_render_is_tried_once_more(client: Client) -> None:
    for child in _with_children(client):
        child.kill()

    assert client.finish()["status"] == "completed"


def _with_children(client: Client) -> list[psutil.Process]:
    client.finish()
    children: list[psutil.Process] = psutil.Process(client.sandbox.pid).children(recursive=True)
    assert children
    return children


def _alive(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
