"""`open_store`, `open_backend`, `load_pricer`: what a server and its commands begin with, from their settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from otel_sessions.counting.prices.chain import default_pricer
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.lease import Lease, holder_id
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.process.private_files import make_private, new_files_private
from otel_sessions.server.process.settings import Settings


class StartError(Exception):
    """The command cannot start; the message says why, and names the next step."""


def load_pricer(settings: Settings) -> Pricer:
    """The pricer of these settings.

    Raises:
        StartError: its file cannot be used.
    """
    try:
        return default_pricer(None if settings.prices is None else str(settings.prices))
    except ValueError as error:
        raise StartError(str(error)) from error


class OpenStore(NamedTuple):
    """A store that no other process writes to: it has a lock on its folder, or a lease on its database."""

    store: Store
    lease: Lease | None


def open_store(settings: Settings, running: ExitStack, *, lease_lost: Callable[[], object] = lambda: None) -> OpenStore:
    """The store of these settings, for this process alone. The caller closes it, which gives the lease back.

    Args:
        settings: say where it is.
        running: unlocks the requests folder at its end, and until then new files of this process are private.
        lease_lost: called when another server has taken the database over.

    Raises:
        StartError: a folder cannot be used.
        StoreError: the store cannot be used.
    """
    chosen = StoreSettings(settings.store)
    # Messages between people and models are private: no other user of the machine may read them.
    running.enter_context(new_files_private())
    for folder, is_ours in ((chosen.folder, False), (settings.requests_folder, True)):
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                make_private(folder, is_ours=is_ours)
        except OSError as error:
            raise StartError(
                f"the folder {folder} cannot be used ({error.strerror}); choose another with --store, or change its owner"
            ) from error
    if chosen.folder is not None:
        return OpenStore(Store(chosen), None)
    running.callback(FolderLock(settings.requests_folder).release)
    store = Store(chosen)
    try:
        lease = Lease(store, holder_id(settings.requests_folder), lost=lease_lost)
    except (StoreError, OSError):
        store.close()
        raise
    store.before_close(lease.release)
    return OpenStore(store, lease)


def open_backend(settings: Settings, running: ExitStack, lease_lost: Callable[[], object] = lambda: None) -> Backend:
    """The backend of these settings. The caller closes it, which closes its store as well.

    Args:
        settings: the store, its prices, and how requests are kept.
        running: unlocks the requests folder at its end.
        lease_lost: as for `open_store`.

    Raises:
        StartError: a folder or the price file cannot be used.
        StoreError: the store cannot be used.
    """
    pricer = load_pricer(settings)
    folder = settings.requests_folder
    store, lease = open_store(settings, running, lease_lost=lease_lost)
    try:
        return Backend(store, folder, pricer=pricer, backlog_bytes=settings.backlog, sync=settings.sync, lease=lease)
    except BaseException as error:
        store.close()
        if isinstance(error, OSError | ValueError):
            raise StartError(f"the folder {folder} cannot be used: {error}") from error
        raise
