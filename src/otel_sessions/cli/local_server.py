"""`local_server`: the server's own app in this process, on a folder that no server holds, for as long as a command asks it."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_sessions.cli.client import Client
from otel_sessions.cli.errors import WRONG_USAGE, CommandError
from otel_sessions.environment_variables import STORE

if TYPE_CHECKING:
    from otel_sessions.server.process.settings import Settings

START_SECONDS: Final = 60.0
"""How long the store may take to open. A migration of a large store may take longer: a server is then the one to do it."""

HOST: Final = "127.0.0.1"
_PARTS_OF_A_STORE: Final = ("otel-sessions.lock", "metadata")


@contextmanager
def local_server(store: str, *, start_seconds: float = START_SECONDS) -> Iterator[Client]:
    """A client of the server's app on a folder. It listens on a free loopback port, with a key that no other program knows.

    It answers as a running server does, but takes no gRPC and does no work in the background.

    Args:
        store: the folder, or its URL `chdb:///folder`.
        start_seconds: how long it may take until it answers.

    Raises:
        CommandError: there is no store in the folder, or a server holds it, or it cannot be opened in time.
    """
    from otel_sessions.cli.options import settings_of  # noqa: PLC0415 - slow to import, as is the next one
    from otel_sessions.server.clickhouse.store_settings import embedded_url  # noqa: PLC0415

    folder = store_folder(store)
    with ExitStack() as running:
        running.enter_context(_quiet())
        key = secrets.token_urlsafe()
        settings = settings_of(store=embedded_url(folder), host=HOST, port=0, api_key=key)
        url = _in_time(lambda: _started(settings, running), folder, start_seconds)
        yield Client(url, api_key=key)


def store_folder(store: str) -> Path:
    """The folder that `--store` names, which has a store; nothing is created.

    Raises:
        CommandError: there is no such folder, or nothing of a store in it.
    """
    folder = _folder_of(store.strip())
    if not folder.is_dir():
        raise CommandError(
            f"there is no folder {folder}; name one that otel-sessions serve has written with --store or {STORE}",
            status=WRONG_USAGE,
        )
    if not is_store(folder):
        raise CommandError(
            f"the folder {folder} has no store of otel-sessions; name one that otel-sessions serve has written with --store or "
            f"{STORE}",
            status=WRONG_USAGE,
        )
    return folder


def is_store(folder: Path) -> bool:
    """Return True if a server has written a store into the folder."""
    return all((folder / part).exists() for part in _PARTS_OF_A_STORE)


def _folder_of(store: str) -> Path:
    from otel_sessions.server.clickhouse.errors import StoreError  # noqa: PLC0415 - slow to import
    from otel_sessions.server.clickhouse.store_settings import StoreSettings  # noqa: PLC0415

    if "://" not in store:
        return Path(store).expanduser().absolute()
    try:
        folder = StoreSettings(store).folder
    except StoreError as error:
        raise CommandError(f"--store or {STORE}: {error}", status=WRONG_USAGE) from None
    if folder is None:
        raise CommandError(
            "a command reads folders only; for a database of a ClickHouse server run otel-sessions serve on it, and ask that "
            "with --url",
            status=WRONG_USAGE,
        )
    return folder


def _started(settings: Settings, running: ExitStack) -> str:
    """The address of an app on the folder of these settings; `running` ends it."""
    from otel_sessions.server.api.app import create_app  # noqa: PLC0415 - slow to import, as are those below
    from otel_sessions.server.process.bootstrap import open_backend  # noqa: PLC0415
    from otel_sessions.server.process.http_server import HttpServer, listen, shown_address  # noqa: PLC0415
    from otel_sessions.server.receivers.http import otlp_routes  # noqa: PLC0415

    backend = open_backend(settings, running)
    running.callback(backend.close)
    listening = running.enter_context(listen(HOST, 0))
    app = create_app(backend, api_key=settings.secret, extra_routes=otlp_routes(backend))
    http = HttpServer(app, listening)
    http.start()
    running.callback(http.close)
    running.callback(app.state.live.close)
    return f"http://{shown_address(listening)}"


def _in_time(start: Callable[[], str], folder: Path, seconds: float) -> str:
    """What `start` returns, on a thread of its own, since opening a store cannot be interrupted."""
    from otel_sessions.server.clickhouse.errors import StoreLockedError  # noqa: PLC0415 - slow to import

    ended: list[str | Exception] = []

    def run() -> None:
        try:
            ended.append(start())
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=run, name="otel-sessions-local-server", daemon=True)
    thread.start()
    thread.join(seconds)
    found = ended[0] if ended else None
    if isinstance(found, str):
        return found
    if found is None:
        raise CommandError(
            f"the store in {folder} did not open within {seconds:g} s; to see why: otel-sessions serve --store chdb://{folder}"
        )
    if isinstance(found, StoreLockedError):
        raise CommandError(f"{str(found).partition(';')[0]}; if that is a server, ask it with --url instead of --store")
    raise CommandError(f"the store in {folder} cannot be read: {found}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Have the server's parts log nothing: what a command needs to know is in their answers."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)
