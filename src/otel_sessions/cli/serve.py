"""`otel-sessions serve`."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from otel_sessions.cli.options import ConfigOption, PricesOption, StoreOption, settings_of


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of OTLP/HTTP and the API; 0 takes a free one.", show_default="4318")
    ] = None,
    grpc_port: Annotated[
        int | None, typer.Option(help="Port of OTLP/gRPC; 0 takes a free one.", show_default="4317")
    ] = None,
    store: StoreOption = None,
    api_key: Annotated[
        str | None, typer.Option(help="What requests must say; better set as OTEL_SESSIONS_API_KEY.")
    ] = None,
    retention: Annotated[
        str | None,
        typer.Option(help="How much to keep: 30d, 20GB or 30d,20GB.", show_default="everything"),
    ] = None,
    prices: PricesOption = None,
    sync: Annotated[
        bool | None,
        typer.Option(
            "--sync/--no-sync",
            help="Let acknowledged requests survive the death of the machine, not just of the process.",
            show_default="no",
        ),
    ] = None,
    backlog: Annotated[
        str | None, typer.Option(help="How much may wait to be committed.", show_default="64MiB")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Run the server: OTLP in, sessions out.

    Each option is also an environment variable, --grpc-port for example OTEL_SESSIONS_GRPC_PORT, and a line in the file
    of --config. When the server is ready it says so in one line on stdout.
    """
    settings = settings_of(
        host=host,
        port=port,
        grpc_port=grpc_port,
        store=store,
        api_key=api_key,
        retention=retention,
        prices=prices,
        sync=sync,
        backlog=backlog,
        config=config,
    )
    log_to_stderr()
    from otel_sessions.server.process.serve import serve as serve_until_stopped  # noqa: PLC0415 - slow to import

    raise typer.Exit(serve_until_stopped(settings))


def log_to_stderr() -> None:
    """Have what happens logged in plain lines; of libraries what is not ours to say otherwise."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # Whatever it cannot do it raises as well.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
