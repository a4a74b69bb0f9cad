"""Links to files: signed ones with a lifetime for videos, permanent ones for previews and assets."""

import hashlib
import hmac
import time
from pathlib import Path
from urllib.parse import urlencode

KEY_PAIR_ID = "KSANDBOX0000001"


class Links:
    """Signed like CloudFront's: `Expires`, `Signature` and `Key-Pair-Id` in the query."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder / "files"
        self._key = key.encode()

    def sign(self, base: str, path: str, *, lifetime: float, method: str = "GET") -> str:
        expires = str(int(time.time() + lifetime))
        query = {
            "Expires": expires,
            "Signature": self._signature(method, path, expires),
            "Key-Pair-Id": KEY_PAIR_ID,
        }
        return f"{base}/files/{path}?{urlencode(query)}"

    def allows(self, method: str, path: str, expires: str, signature: str) -> bool:
        if not hmac.compare_digest(self._signature(method, path, expires), signature):
            return False
        return expires.isdecimal() and int(expires) > time.time()

    def permanent(self, base: str, path: str) -> str:
        return f"{base}/files/{path}"

    def _signature(self, method: str, path: str, expires: str) -> str:
        return hmac.new(self._key, f"{method} {path} {expires}".encode(), hashlib.sha256).hexdigest()

    def video_folder(self, video_id: str) -> Path:
        return self.folder / "videos" / video_id

    def asset(self, asset_id: str) -> Path:
        return self.folder / "assets" / asset_id
