"""`open_store`, `open_backend`, `load_pricer`: what a server and its commands begin with, from their settings."""

from __future__ import annotations

from contextlib import ExitStack

from otel_sessions.counting.prices.chain import default_pricer
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.store_settings import StoreSettings
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


def open_store(settings: Settings, running: ExitStack) -> Store:
    """The store of these settings; on this machine no other process works on it.

    Args:
        settings: say where it is.
        running: unlocks the requests folder at its end. The caller closes the store.

    Raises:
        StartError: a folder cannot be used.
        StoreError: the store cannot be used.
    """
    chosen = StoreSettings(settings.store)
    # Messages between people and models are private: no other user of the machine may read the folders.
    for folder in (chosen.folder, settings.requests_folder):
        try:
            if folder is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(
                f"the folder {folder} cannot be used ({error.strerror}); choose another with --store, or change its owner"
            ) from error
    if chosen.folder is None:
        running.callback(FolderLock(settings.requests_folder).release)
    return Store(chosen)


def open_backend(settings: Settings, running: ExitStack) -> Backend:
    """The backend of these settings. The caller closes it, which closes its store as well.

    Args:
        settings: the store, its prices, and how requests are kept.
        running: unlocks the requests folder at its end.

    Raises:
        StartError: a folder or the price file cannot be used.
        StoreError: the store cannot be used.
    """
    pricer = load_pricer(settings)
    store = open_store(settings, running)
    folder = settings.requests_folder
    try:
        return Backend(store, folder, pricer=pricer, backlog_bytes=settings.backlog, sync=settings.sync)
    except BaseException as error:
        store.close()
        if isinstance(error, OSError | ValueError):
            raise StartError(f"the folder {folder} cannot be used: {error}") from error
        raise
