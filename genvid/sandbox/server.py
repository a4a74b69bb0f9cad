"""Runs the sandbox under uvicorn, with a way for it to hang up on a client."""

import argparse
import asyncio
import os
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from genvid.sandbox.app import build
from genvid.sandbox.options import Options
from genvid.sandbox.settings import RENDERERS

SHUTDOWN_GRACE = 1  # seconds for requests under way


class DroppingProtocol(H11Protocol):
    """HTTP/1.1 whose requests find `state.drop`, which closes the connection without another byte."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "drop": transport.abort}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("SANDBOX_PORT", "8001")))
    parser.add_argument("--var", type=Path, default=Path(os.environ.get("GENVID_VAR", "var")), help="data folder")
    parser.add_argument("--api-key", default=os.environ.get("HEYGEN_API_KEY", ""), help="empty: accept any key")
    parser.add_argument("--test-key", default=os.environ.get("TEST_RENDERER_KEY", ""), help="its renders are marked")
    parser.add_argument("--stripe-key", default=os.environ.get("STRIPE_SECRET_KEY", ""), help="empty: any sk_ or rk_")
    parser.add_argument(
        "--public-url", default=os.environ.get("SANDBOX_PUBLIC_URL", ""), help="where browsers reach it"
    )
    parser.add_argument("--renderer", choices=RENDERERS, default="full")
    parser.add_argument("--workers", type=int, default=1, help="render processes")


def options_from(
    *,
    host: str,
    port: int,
    var: Path,
    api_key: str,
    test_key: str,
    stripe_key: str,
    public_url: str,
    renderer: str,
    workers: int,
    **_: object,
) -> Options:
    concurrency = int(os.environ.get("HEYGEN_SANDBOX_CONCURRENCY", "10"))
    folder = Path(var).absolute() / "sandbox"
    return Options(folder, host, port, api_key, test_key, renderer, concurrency, workers, stripe_key, public_url)


def serve(options: Options) -> None:
    config = uvicorn.Config(
        build(options),
        host=options.host,
        port=options.port,
        http=DroppingProtocol,
        ws="none",
        loop="asyncio",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_GRACE,
    )
    uvicorn.Server(config).run()
