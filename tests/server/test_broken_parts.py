"""Parts of tables that ClickHouse cannot read are said, counted, and mended by sending again and by a rebuild."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import processes
from tests.exporting import chat, finished
from tests.server.running import Server

SPANS = [
    span
    for trace in range(1, 4)
    for span in (
        finished(trace * 10, session="s", trace=trace, at=(0, 9000)),
        chat(trace * 10 + 1, trace * 10, trace=trace),
    )
]


def break_parts(store: Path, table: str) -> int:
    """Empty the data of all parts of a table, as a power failure does; return their number."""
    definition = (store / "metadata" / "otel" / f"{table}.sql").read_text()
    found = re.search(r"UUID '([0-9a-f-]+)'", definition)
    assert found is not None
    parts = [part for part in (store / "store" / found[1][:3] / found[1]).iterdir() if (part / "columns.txt").exists()]
    for part in parts:
        for file in part.glob("*.bin"):
            file.write_bytes(b"")
    return len(parts)


def numbers(server: Server) -> Any:
    """What the server says of the session in a list, alone, and how many spans it has."""
    (listed,) = server.get("/v1/sessions")["data"]
    alone = server.get("/v1/sessions/s")["data"]
    alone.pop("traces")
    return listed, alone, len(server.get("/v1/sessions/s/spans")["data"])


@pytest.mark.parametrize("table", ["otel_traces", "trace_facts", "session_traces", "sessions"])
def test_broken_parts_are_said_and_mended(tmp_path: Path, table: str) -> None:
    """The log and the health name the table and the command; sending again and a rebuild bring everything back, once."""
    with Server(tmp_path) as server:
        server.send(SPANS)
        expected = numbers(server)
        assert server.stop()[0] == 0
    parts = break_parts(tmp_path, table)
    assert parts
    with Server(tmp_path) as server:
        health = server.get("/healthz")
        assert health["status"] == "degraded"
        (broken,) = health["broken_parts"]
        assert (broken["table"], broken["count"]) == (table, parts)
        assert server.send(SPANS) == 200
        server.get("/v1/sessions/s/spans")
        status, _, err = server.stop()
        assert status == 0
        assert broken["advice"] in err
        assert "otel-sessions rebuild" in broken["advice"]
    done = processes.run(sys.executable, "-m", "otel_sessions", "rebuild", "--store", f"chdb://{tmp_path}")
    assert done.returncode == 0, done.stderr
    with Server(tmp_path) as server:
        assert numbers(server) == expected
        health = server.get("/healthz")
        assert (health["status"], health["broken_parts"]) == ("ok", [])
        assert server.send(SPANS) == 200
        assert numbers(server) == expected
        assert server.get("/healthz")["duplicate_spans"] == len(SPANS)
