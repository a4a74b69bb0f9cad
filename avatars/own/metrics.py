"""Counters of own avatars and voices."""

from genvid.metrics import Tally

settled = Tally("genvid_creations_settled_total", "Own avatars and voices that ended, by how, and the error of those "
                "that failed.", ["kind", "outcome", "code"])  # fmt: skip
