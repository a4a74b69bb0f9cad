"""The goals: rates as multiples of the reference, latencies, and counts."""

from collections.abc import Iterator
from statistics import geometric_mean

from bench.web.results import OURS, REFERENCE, Result

Check = tuple[str, bool]
RATIOS = {"avatars": 4.0, "video": 2.0, "page": 2.0, "waiting": 1.8, "large": 3.5, "create": 1.0, "mix": 2.0}
SIGN_INS = 0.9
"""Of what the machine hashes by bcrypt, which is the most that a usual server in Go signs in."""
P99 = {"mix": 50.0, "beside": 60.0}
"""Milliseconds on the machine on which the reference answers PROPORTIONS; on a slower one by as much more."""
STATEMENTS = {"avatars": 0, "video": 1, "page": 1, "waiting": 2, "create": 9, "create_waiting": 9}
TRIPS = {"video": 1, "create": 2, "create_waiting": 2}
LONG_QUEUE, LARGE_ACCOUNT = 1.2, 1.15
"""How many times as much a page may cost there."""
PROPORTIONS = {"avatars": 843, "video": 1_058, "page": 512, "create": 518}
"""Requests a second of a design by the book on the machine of the goals. They stand to each other as the reference's,
so that nobody makes this one a straw man."""
SLACK = 0.25


def checks(result: Result) -> Iterator[Check]:
    """Those of the calls that were measured."""
    for name, least in RATIOS.items():
        if result.was_loaded(name):
            yield f"{name}: {result.ratio(name):.2f} of at least {least} x reference", result.ratio(name) >= least
    slowness = slowness_of(result)
    for name, usual in P99.items():
        if result.was_loaded(name):
            p99, most = result.figures(name, OURS).p99, usual * slowness
            yield f"{name}: p99 {p99:.0f} of at most {usual:.0f} x {slowness:.2f} ms", p99 <= most
    if result.was_loaded("login"):
        rate, most = result.figures("login", OURS).rate, result.about["bcrypt_rate"]
        yield f"login: {rate:.1f} of at least {SIGN_INS} x {most:.1f} a second", rate >= SIGN_INS * most
    yield from _flatness(result)
    yield from _counts(result)
    yield from proportions(result)


def _flatness(result: Result) -> Iterator[Check]:
    if result.was_loaded("waiting") and result.was_loaded("page"):
        # Against the reference: its page shows the same rows in the same minute.
        times = result.ratio("page") / result.ratio("waiting")
        yield f"waiting: {times:.2f} of at most {LONG_QUEUE} x an empty queue", times <= LONG_QUEUE
    if result.was_loaded("large") and result.was_loaded("page"):
        times = result.figures("page", OURS).rate / result.figures("large", OURS).rate
        yield f"large: {times:.2f} of at most {LARGE_ACCOUNT} x a median account", times <= LARGE_ACCOUNT


def _counts(result: Result) -> Iterator[Check]:
    for name in result.calls:
        counts = result.figures(name, OURS).counts
        if counts is None:
            continue
        if name in STATEMENTS:
            found, most = counts.statements, STATEMENTS[name]
            yield f"{name}: {found} of at most {most} statements", found <= most
        if name in TRIPS:
            yield f"{name}: {counts.trips} of at most {TRIPS[name]} Redis trips", counts.trips <= TRIPS[name]
        if name.startswith("create"):
            yield f"{name}: {counts.savepoints} of no savepoint statements", counts.savepoints == 0


def slowness_of(result: Result) -> float:
    """How many times slower this machine is, by the reference; 1 where it was not asked for all of PROPORTIONS."""
    if not all(result.was_loaded(name) for name in PROPORTIONS):
        return 1.0
    return geometric_mean(wanted / result.figures(name, REFERENCE).rate for name, wanted in PROPORTIONS.items())


def proportions(result: Result) -> Iterator[Check]:
    """How far apart any two calls of the reference are, each as a multiple of what it should be."""
    if not all(result.was_loaded(name) for name in PROPORTIONS):
        return
    shares = {name: result.figures(name, REFERENCE).rate / wanted for name, wanted in PROPORTIONS.items()}
    mean = sum(shares.values()) / len(shares)
    found = " : ".join(f"{PROPORTIONS[name] * share / mean:.0f}" for name, share in shares.items())
    wanted = " : ".join(map(str, PROPORTIONS.values()))
    apart = max(shares.values()) / min(shares.values())
    yield f"reference: {found} for {wanted}, {apart:.2f} of at most {1 + SLACK} apart", apart <= 1 + SLACK
