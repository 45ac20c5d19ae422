"""`otel-sessions retry-refused`."""

from __future__ import annotations

from contextlib import ExitStack

import typer

from otel_sessions.cli.options import ConfigOption, PricesOption, StoreOption, fail, settings_of


def retry_refused(*, store: StoreOption = None, prices: PricesOption = None, config: ConfigOption = None) -> None:
    """Store the requests that a server had set aside as *.refused, for example after an upgrade. No server may run on it.

    A request that still cannot be stored is set aside again, and the status is then 1.
    """
    settings = settings_of(store=store, prices=prices, config=config)
    from otel_sessions.cli.serve import log_to_stderr  # noqa: PLC0415 - slow to import, as are those below
    from otel_sessions.server.backend import Backend  # noqa: PLC0415
    from otel_sessions.server.clickhouse.errors import StoreError  # noqa: PLC0415
    from otel_sessions.server.ingest.retry_refused import take_in_refused  # noqa: PLC0415
    from otel_sessions.server.process.bootstrap import StartError, load_pricer, open_store  # noqa: PLC0415

    log_to_stderr()
    folder = settings.requests_folder
    try:
        pricer = load_pricer(settings)
        with ExitStack() as running:
            opened, lease = open_store(settings, running)
            running.callback(opened.close)
            tried = take_in_refused(folder)
            # Requests leave the log here too, maybe some that a server with `--sync` acknowledged. An embedded store syncs inserts until
            # the next start says otherwise; a ClickHouse server would go on syncing them, so there the setting decides.
            backend = Backend(opened, folder, pricer=pricer, sync=settings.sync or opened.is_embedded, lease=lease)
            is_complete = backend.close()
            left = backend.requests_set_aside
    except (StartError, StoreError) as error:
        fail(error)
    except OSError as error:
        fail(StartError(f"the folder {folder} cannot be used: {error}"))
    if not is_complete:
        fail(StartError(f"the store cannot take requests now; the next start commits what is in {folder}"))
    typer.echo(f"stored {tried - left} of {tried} requests that were set aside")
    if left:
        raise typer.Exit(1)
