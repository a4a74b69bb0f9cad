"""The measured calls: title, requests, and what is different while they run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.web.traffic import Traffic


@dataclass(frozen=True)
class Call:
    """`among`: the requests that are sent. `orders`: it makes videos, which are removed after each run."""

    name: str
    title: str
    among: Callable[[Traffic], Iterable[bytes]]
    orders: bool = False
    beside_sign_ins: bool = False
    is_counted: bool = True


EMPTY_QUEUE = (
    Call("avatars", "GET avatars", Traffic.avatars),
    Call("video", "GET video", Traffic.video),
    Call("page", "GET videos, first page", Traffic.page),
    Call("large", "GET videos, the largest account", Traffic.large),
    Call("create", "POST videos", Traffic.create, orders=True),
    Call("mix", "mix 50/25/20/5", Traffic.mix, orders=True, is_counted=False),
    Call("login", "POST login", Traffic.login),
    Call("beside", "GET video beside two that sign in", Traffic.video, beside_sign_ins=True, is_counted=False),
)
LONG_QUEUE = (Call("waiting", "GET videos while 10,000 wait", Traffic.page),)
COUNTED_IN_LONG_QUEUE = (Call("create_waiting", "POST videos while 10,000 wait", Traffic.create),)
CALLS = (*EMPTY_QUEUE, *LONG_QUEUE, *COUNTED_IN_LONG_QUEUE)
TITLES = {call.name: call.title for call in CALLS}
