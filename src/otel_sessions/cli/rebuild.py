"""`otel-sessions rebuild`."""

from __future__ import annotations

from contextlib import ExitStack

import typer

from otel_sessions.cli.options import ConfigOption, PricesOption, StoreOption, fail, settings_of


def rebuild(*, store: StoreOption = None, prices: PricesOption = None, config: ConfigOption = None) -> None:
    """Count everything again from the spans and log records in the store, for example with new prices. No server may run on it."""
    settings = settings_of(store=store, prices=prices, config=config)
    from rich.console import Console  # noqa: PLC0415 - slow to import, as are those below
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from otel_sessions.server.clickhouse.errors import StoreError  # noqa: PLC0415
    from otel_sessions.server.process.bootstrap import StartError, load_pricer, open_store  # noqa: PLC0415
    from otel_sessions.server.projections.rebuild import STEPS  # noqa: PLC0415
    from otel_sessions.server.projections.rebuild import rebuild as rebuild_store  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        pricer = load_pricer(settings)
        with ExitStack() as running:
            opened = open_store(settings, running).store
            running.callback(opened.close)
            shown = running.enter_context(Progress(*columns, console=Console(stderr=True)))
            tasks = {what: shown.add_task(what, total=None) for what in STEPS}

            def progress(what: str, done: int, total: int) -> None:
                shown.update(tasks[what], completed=done, total=total)

            traces = rebuild_store(opened, pricer=pricer, progress=progress)
    except (StartError, StoreError) as error:
        fail(error)
    typer.echo(f"counted {traces} traces again")
