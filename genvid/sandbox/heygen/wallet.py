"""The API wallet, in micro-dollars, and what a second of each product costs (Pay-As-You-Go, mid-2026)."""

from genvid.sandbox.store import Store

MICRO = 1_000_000
OPENING_BALANCE = 1_000 * MICRO
CINEMATIC = 7 * MICRO  # per video
AVATAR_CREATION = 1 * MICRO
SPEECH = 667  # per second

# (engine, is a photo avatar or an image) -> per second up to 1080p, and in 4k
RATES = {
    ("avatar_v", False): (66_700, 83_300),
    ("avatar_v", True): (66_700, 66_700),
    ("avatar_iv", False): (66_700, 83_300),
    ("avatar_iv", True): (50_000, 66_700),
    ("avatar_iii", False): (16_700, 20_000),
    ("avatar_iii", True): (43_300, 20_000),
}
NO_AVATAR = 16_700  # a studio scene of a plain picture; the price list names none


class Wallet:
    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def balance(self) -> int:
        return int(self._store.setting("wallet", OPENING_BALANCE))

    def set(self, micro: int) -> None:
        self._store.set("wallet", micro)

    def charge(self, micro: int) -> None:
        self.set(self.balance - micro)


def rate(engine: str, *, photo: bool, resolution: str | None) -> int:
    return RATES[engine, photo][resolution == "4k"]
