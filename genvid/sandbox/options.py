"""The options that a sandbox is started with."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    folder: Path
    host: str = "127.0.0.1"
    port: int = 8001
    api_key: str = ""
    test_key: str = ""
    """Orders with it are free and watermarked; empty: there are none."""
    renderer: str = "full"
    concurrency: int = 10
    workers: int = 1
    stripe_key: str = ""
    """The one secret key Stripe knows; empty: any."""
    public_url: str = ""
    """Where browsers find Stripe's pages; empty: under the name that the API is called by."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"
