"""`otel-sessions rebuild` computes every number again from the spans."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from tests.exporting import chat, finished
from typer.testing import CliRunner, Result

from otel_sessions.cli.app import app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.queries.sessions import get_session
from otel_sessions.server.signals import TRACES

PRICES = """\
[[price]]
model = "gpt-4o-mini"
input = 1000000
output = 1000000
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with a session of twelve tokens that were counted without prices."""
    folder = tmp_path / "store"
    backend = Backend(Store(StoreSettings(f"chdb://{folder}", readers=1)), folder / "requests")
    spans = [finished(1, session="s1"), chat(2, 1, tokens=(10, 2))]
    backend.receive(TRACES, encode_spans(spans).SerializeToString())
    assert backend.close()
    return folder


def rebuild(folder: Path, *options: str) -> Result:
    """Run `otel-sessions rebuild` on the store."""
    return CliRunner().invoke(app, ["rebuild", "--store", f"chdb://{folder}", *options])


def cost(folder: Path) -> Decimal | None:
    """The stored cost of the session."""
    store = Store(StoreSettings(f"chdb://{folder}", readers=1))
    session = get_session(store, "s1")
    store.close()
    assert session is not None
    assert session.total_tokens == 12
    return session.total_cost


def test_new_prices(folder: Path, tmp_path: Path) -> None:
    """Stored spans are priced by the file, and progress is shown on stderr."""
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES)
    assert cost(folder) is None
    result = rebuild(folder, "--prices", str(prices))
    assert (result.exit_code, result.stdout) == (0, "counted 1 traces again\n")
    assert "2/2" in result.stderr
    assert "1/1" in result.stderr
    assert cost(folder) == 12


def test_an_empty_store(tmp_path: Path) -> None:
    """A rebuild of a store that does not exist creates it and counts nothing."""
    result = rebuild(tmp_path / "new")
    assert (result.exit_code, result.stdout) == (0, "counted 0 traces again\n")


def test_a_server_is_running(folder: Path) -> None:
    """A rebuild beside a running server is refused in one line."""
    lock = FolderLock(folder)
    result = rebuild(folder)
    lock.release()
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"otel-sessions: the store folder {folder} is in use")
    assert result.stderr.count("\n") == 1
