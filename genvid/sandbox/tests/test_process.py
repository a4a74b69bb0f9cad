import os
import signal
import subprocess
import sys
from collections.abc import Iterable

from genvid.sandbox.tests.sandbox_client import Client, wait_for


def test_a_killed_sandbox_goes_on_where_it_was(client: Client) -> None:
    made = [client.make(script=f"Hello. {word}") for word in ("[[stuck]]", "[[slow:1]]", "", "")]

    client.sandbox.kill()
    client.sandbox.start()

    wait_for(lambda: [client.status(one) for one in made] == ["processing", *["completed"] * 3])
    assert [video["creates"] for video in client.sandbox.records()["videos"]] == [1] * 4


def test_a_completed_video_is_charged_once_whatever_happens(client: Client) -> None:
    video = client.finish()
    client.sandbox.kill()
    client.sandbox.start()

    assert client.sandbox.records()["wallet"] == round(1000 - 0.0667 * video["duration"], 6)


def test_a_killed_sandbox_leaves_no_children(client: Client) -> None:
    children = _children(client)

    client.sandbox.kill()

    wait_for(lambda: not _alive(children))


def test_a_stopped_sandbox_ends_by_itself_and_leaves_no_children(client: Client) -> None:
    children = _children(client)

    code = client.sandbox.stop()

    assert code != -signal.SIGKILL
    assert _alive(children) == set()


def test_renders_run_at_low_priority(client: Client) -> None:
    assert set(_children(client).values()) == {min(19, os.nice(0) + 10)}


def test_a_crashed_render_is_tried_once_more(client: Client) -> None:
    for child in _children(client):
        os.kill(child, signal.SIGKILL)

    assert client.finish()["status"] == "completed"


def _processes() -> list[tuple[int, int, int, str]]:
    """Every process as its id, its parent's, its niceness and its state."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,nice=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in table.stdout.splitlines()]
    return [(int(pid), int(parent), int(nice) if nice[-1].isdigit() else 0, state) for pid, parent, nice, state in rows]


def _children(client: Client) -> dict[int, int]:
    """The niceness of each child, once there is one."""
    client.finish()
    found = {pid: nice for pid, parent, nice, _ in _processes() if parent == client.sandbox.pid}
    assert found
    return found


def _alive(children: Iterable[int]) -> set[int]:
    return {pid for pid, _, _, state in _processes() if not state.startswith("Z")} & set(children)


def test_the_sandbox_loads_neither_django_nor_the_rest_of_genvid() -> None:
    code = "import sys, genvid.sandbox.__main__, genvid.sandbox.render_worker.render_tasks; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    ours = {name for name in loaded if name.startswith("genvid.") and not f"{name}.".startswith("genvid.sandbox.")}
    assert "genvid.sandbox.app" in loaded
    assert ours | {"django", "celery", "rest_framework"} & set(loaded) == set()
