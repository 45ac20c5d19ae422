"""`write_probe`: finds out whether the store can write rows now."""

from __future__ import annotations

import os
from typing import Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.row_binary import raw_string

PROBE_BYTES: Final = 1 << 16
"""As much as a small commit: a disk or a quota that is nearly used up takes a few bytes, and no commit."""


def write_probe(store: Store) -> None:
    """Write a row in the way of commits, with a client of its own, so that it waits for no other statement.

    Raises:
        StoreError: it cannot be written.
    """
    row = raw_string(os.urandom(PROBE_BYTES))
    with store.probing() as client:
        client.raw_insert("store_probe", ["Filler"], row, fmt="RowBinary")
