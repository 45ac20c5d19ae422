"""`otel-sessions retry-refused` stores what a server had set aside."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from tests.exporting import chat, finished
from typer.testing import CliRunner, Result

from otel_sessions.cli.app import app
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.durability import TABLES
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.ingest import commit_target
from otel_sessions.server.queries.sessions import get_session

LOGS = b"\x0a\x08\x12\x06\x12\x04\x2a\x02\x0a\x00"


def retry(folder: Path) -> Result:
    """Run `otel-sessions retry-refused` on the store."""
    return CliRunner().invoke(app, ["retry-refused", "--store", f"chdb://{folder}"])


@pytest.fixture
def requests(tmp_path: Path) -> Path:
    """The folder of a store's requests, two of which were set aside."""
    requests = tmp_path / "requests"
    requests.mkdir()
    spans = encode_spans([finished(1, session="s1"), chat(2, 1, tokens=(10, 2))]).SerializeToString()
    (requests / "000000000001-1.traces.refused").write_bytes(spans)
    (requests / "000000000001-2.logs.refused").write_bytes(LOGS)
    return requests


def test_requests_are_stored_once(requests: Path) -> None:
    """They are read and counted as if they came now, and their files are gone; a second run has nothing to do."""
    result = retry(requests.parent)
    assert (result.exit_code, result.stdout) == (0, "stored 2 of 2 requests that were set aside\n")
    assert [path.name for path in requests.iterdir()] == ["next-segment"]
    assert retry(requests.parent).stdout == "stored 0 of 0 requests that were set aside\n"
    store = Store(StoreSettings(f"chdb://{requests.parent}", readers=1))
    session = get_session(store, "s1")
    with store.reading() as client:
        assert client.query("SELECT count() FROM otel_logs").result_rows == [(1,)]
    store.close()
    assert session is not None
    assert session.total_tokens == 12


def test_rows_are_on_the_disk_when_a_request_leaves_the_log(requests: Path) -> None:
    """A power failure right after the command takes nothing that a server with `--sync` had acknowledged."""
    assert retry(requests.parent).exit_code == 0
    store = Store(StoreSettings(f"chdb://{requests.parent}", readers=1))
    with store.reading() as client:
        sql = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine_full LIKE '%fsync_after_insert = 1%'"
        synced = {name for (name,) in client.query(sql).result_rows}
    store.close()
    assert synced >= set(TABLES)


def test_a_request_that_still_cannot_be_stored(requests: Path) -> None:
    """It is set aside again, and the status says so."""
    (requests / "000000000009-1.traces.refused").write_bytes(b"\x07")
    result = retry(requests.parent)
    assert (result.exit_code, result.stdout) == (1, "stored 2 of 3 requests that were set aside\n")
    (kept,) = requests.glob("*.refused")
    assert kept.read_bytes() == b"\x07"


def test_a_store_that_is_away(requests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: the next start commits the requests."""

    def away(*_: object, **__: object) -> None:
        raise StoreAwayError("away")

    with monkeypatch.context() as broken:
        broken.setattr(commit_target, "insert_written", away)
        result = retry(requests.parent)
    assert result.exit_code == 1
    assert "the next start commits what is in" in result.stderr
    assert retry(requests.parent).exit_code == 0
    assert [path.name for path in requests.iterdir()] == ["next-segment"]


def test_a_server_is_running(requests: Path) -> None:
    """Beside a running server it is refused in one line."""
    lock = FolderLock(requests.parent)
    result = retry(requests.parent)
    lock.release()
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"otel-sessions: the store folder {requests.parent} is in use")


def test_a_folder_that_cannot_be_read(requests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is named in one line."""

    def broken(_: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", broken)
    result = retry(requests.parent)
    assert result.exit_code == 1
    assert f"the folder {requests} cannot be used" in result.stderr
