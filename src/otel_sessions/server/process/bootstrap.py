"""`open_store`, `load_pricer`: what a server and its commands begin with, from their settings."""

from __future__ import annotations

from contextlib import ExitStack

from otel_sessions.counting.prices.chain import default_pricer
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.process.settings import Settings


class StartError(Exception):
    """It cannot begin; the message says why, and what to do."""


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
    """The store of these settings, for this process alone as far as this machine goes; `running` lets go of it.

    Raises:
        StartError: a folder cannot be used.
        StoreError: the store cannot be used.
    """
    chosen = StoreSettings(settings.store)
    # What people ask models is nobody else's business.
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
