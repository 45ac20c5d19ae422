"""A row that says nothing shows whether rows can be written."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from otel_sessions.server.clickhouse.client import WRITERS, Store
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.clickhouse.probe import write_probe


def test_a_probe_waits_for_no_other_statement(fresh_store: Store) -> None:
    """It writes while all writers and readers are taken, and fails if it cannot."""
    with ExitStack() as taken:
        for _ in range(WRITERS):
            writer = taken.enter_context(fresh_store.writing())
        for _ in range(2):
            taken.enter_context(fresh_store.reading())
        write_probe(fresh_store)
        writer.command("RENAME TABLE store_probe TO elsewhere")
        with pytest.raises(StoreError):
            write_probe(fresh_store)
        writer.command("RENAME TABLE elsewhere TO store_probe")
