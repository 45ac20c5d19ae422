"""`otel-sessions serve`."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from otel_sessions.cli.options import ConfigOption, PricesOption, StoreOption, option, settings_of
from otel_sessions.server.process.log_lines import LogHandler


def serve(
    *,
    host: Annotated[str | None, option("host")] = None,
    port: Annotated[int | None, option("port")] = None,
    grpc_port: Annotated[int | None, option("grpc_port")] = None,
    store: StoreOption = None,
    api_key: Annotated[str | None, option("api_key")] = None,
    allowed_host: Annotated[list[str] | None, option("allowed_host")] = None,
    retention: Annotated[str | None, option("retention")] = None,
    prices: PricesOption = None,
    sync: Annotated[bool | None, option("sync", "--sync/--no-sync")] = None,
    backlog: Annotated[str | None, option("backlog")] = None,
    connections: Annotated[int | None, option("connections")] = None,
    config: ConfigOption = None,
) -> None:
    """Run the server: OTLP in, sessions out.

    Each option is also an environment variable, --grpc-port for example OTEL_SESSIONS_GRPC_PORT, and a line in the file
    of --config. When the server is ready it prints one line on stdout.
    """
    settings = settings_of(
        host=host,
        port=port,
        grpc_port=grpc_port,
        store=store,
        api_key=api_key,
        allowed_host=allowed_host or None,
        retention=retention,
        prices=prices,
        sync=sync,
        backlog=backlog,
        connections=connections,
        config=config,
    )
    log_to_stderr()
    from otel_sessions.server.process.serve import serve as serve_until_stopped  # noqa: PLC0415 - slow to import

    raise typer.Exit(serve_until_stopped(settings))


def log_to_stderr() -> None:
    """Log plain lines to stderr: ours from INFO on, of libraries only what our own messages do not say."""
    logging.basicConfig(handlers=[LogHandler(sys.stderr)], level=logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # It raises every error that it logs.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
