"""Runs the sandbox under uvicorn. Its protocol can close a connection without an answer."""

import argparse
import asyncio
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from genvid.sandbox.app import build
from genvid.sandbox.options import Options
from genvid.sandbox.runtime_settings import RENDERERS

STRINGS = (
    ("--api-key", "HEYGEN_API_KEY", "empty: accept any key"),
    ("--test-key", "TEST_RENDERER_KEY", "its renders are marked"),
    ("--stripe-key", "STRIPE_SECRET_KEY", "empty: any sk_ or rk_"),
    ("--public-url", "SANDBOX_PUBLIC_URL", "where browsers reach it"),
)
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
    for name, variable, meaning in STRINGS:
        parser.add_argument(name, default=os.environ.get(variable, ""), help=meaning)
    parser.add_argument("--renderer", choices=RENDERERS, default="full")
    parser.add_argument("--workers", type=int, default=1, help="render processes")


def options_from(*, var: Path, **given: Any) -> Options:
    known = {field.name for field in fields(Options)}
    own = {name: value for name, value in given.items() if name in known}
    concurrency = int(os.environ.get("HEYGEN_SANDBOX_CONCURRENCY", "10"))
    return Options(Path(var).absolute() / "sandbox", concurrency=concurrency, **own)


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
