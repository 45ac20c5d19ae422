"""`store_sizes`: how large a store is, and how much room is left for it."""

from __future__ import annotations

import shutil
from typing import NamedTuple

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.retention import bytes_by_signal


class StoreSizes(NamedTuple):
    """Bytes of a store on disk, and those that are free there; `None` if the store is on another machine."""

    used: int
    free: int | None


def store_sizes(store: Store) -> StoreSizes:
    """The sizes of a store now."""
    folder = store.folder
    return StoreSizes(sum(bytes_by_signal(store)), None if folder is None else shutil.disk_usage(folder).free)
