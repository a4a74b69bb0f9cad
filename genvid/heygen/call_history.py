"""Calls made for a video, kept in memory until its row is written anyway: see `Video.move` and `Video.retry_later`.

A process that ends forgets what was not written; nothing decides by it.
"""

import threading
from collections import OrderedDict
from typing import Any

MAX_VIDEOS = 1_000
MAX_CALLS = 5
"""Of one video between two writes; the newest are kept."""

Record = dict[str, Any]
"""Keys: at (ISO 8601), operation, status, code, request_id, ms."""
_pending: OrderedDict[str, list[Record]] = OrderedDict()
_lock = threading.Lock()


def remember(video_id: str, record: Record) -> None:
    with _lock:
        calls = _pending.setdefault(video_id, [])
        calls.append(record)
        del calls[:-MAX_CALLS]
        _pending.move_to_end(video_id)
        if len(_pending) > MAX_VIDEOS:
            _pending.popitem(last=False)


def take(video_id: str) -> list[Record]:
    """What was remembered since the last time; whoever takes it writes it."""
    with _lock:
        return _pending.pop(video_id, [])
