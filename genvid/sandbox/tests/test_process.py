import time

import psutil
import pytest

from genvid.sandbox import contract
from genvid.sandbox.app import HEYGEN
from genvid.sandbox.process import SandboxProcess
from genvid.sandbox.tests.client import Client, wait_for

OURS = {"video", "avatar", "voice", "user", "webhook", "asset"}


def test_every_operation_of_our_tags_is_answered() -> None:
    paths = contract.document()["paths"].items()
    wanted = {(m.upper(), path) for path, item in paths for m, one in item.items() if OURS & set(one["tags"])}

    assert {(one.method, one.path) for module in HEYGEN for one in module.OPERATIONS} == wanted


@pytest.mark.parametrize("script", ["Hello there.", "Hello. [[slow:0.7]]"])
def test_a_killed_sandbox_goes_on_where_it_was(script: str, own_process: SandboxProcess) -> None:
    with Client(own_process) as client:
        own_process.knobs(stuck=True)
        waiting = client.make()
        own_process.knobs(stuck=False)
        video_id = client.make(script=script)
        own_process.kill()
        own_process.start()

        wait_for(lambda: client.status(video_id) == "completed")
        assert client.status(waiting) == "processing"
        assert [video["creates"] for video in own_process.books()["videos"]] == [1, 1]


def test_a_killed_sandbox_leaves_no_children(own_process: SandboxProcess) -> None:
    children = _with_children(own_process)

    own_process.kill()

    wait_for(lambda: not any(_alive(child) for child in children))


def test_a_stopped_sandbox_leaves_none_either_and_is_quick(own_process: SandboxProcess) -> None:
    children = _with_children(own_process)
    begun = time.monotonic()

    own_process.stop()

    assert time.monotonic() - begun < 3
    assert [child for child in children if _alive(child)] == []


def test_renders_run_at_low_priority(own_process: SandboxProcess) -> None:
    assert {child.nice() for child in _with_children(own_process)} == {10}


def test_a_crashed_render_is_tried_once_more(own_process: SandboxProcess) -> None:
    for child in _with_children(own_process):
        child.kill()

    with Client(own_process) as client:
        assert client.finish()["status"] == "completed"


def _with_children(sandbox: SandboxProcess) -> list[psutil.Process]:
    with Client(sandbox) as client:
        client.finish()
    children = psutil.Process(sandbox.pid).children(recursive=True)
    assert len(children) == 1
    return children


def _alive(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
