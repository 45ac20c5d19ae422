"""What a server says of itself, as findings with a fix."""

from __future__ import annotations

from typing import Any

import pytest

from otel_sessions.cli.checks.check import Seen, findings
from otel_sessions.cli.checks.server_checks import FREE_BYTES, SERVER_CHECKS

NOW = 1_795_000_000 * 10**9
HEALTH = {
    "version": "1",
    "time": "2026-11-18T11:06:40.000Z",
    "problems": [],
    "refused": [],
    "rejected": [],
    "dropped_values": [],
    "store": {"bytes": 1, "free_bytes": FREE_BYTES},
}


def found(*, url: str | None = "http://127.0.0.1:4318", **health: Any) -> list[tuple[str, str, str]]:
    """The checks that find something, with the finding and the fix."""
    seen = Seen(url, NOW, "1", health={**HEALTH, **health})
    return [(one.check, one.finding, one.fix) for one in findings(SERVER_CHECKS, seen)]


def test_a_server_that_is_well() -> None:
    """Nothing is found, also of a server on another machine, and one that tells only its state."""
    assert found() == []
    assert found(store={"bytes": 1, "free_bytes": None}) == []
    assert findings(SERVER_CHECKS, Seen(None, NOW, "1", health={"status": "ok"})) == []
    assert findings(SERVER_CHECKS, Seen("http://x", NOW, "1")) == []


@pytest.mark.parametrize(
    ("health", "check", "finding", "fix"),
    [
        (
            {"problems": [{"name": "requests_set_aside", "message": "2 requests", "blocks": False}]},
            "problems",
            "2 requests",
            "stop the server, and run: otel-sessions retry-refused",
        ),
        (
            {"problems": [{"name": "new", "message": "unheard of", "blocks": False}]},
            "problems",
            "unheard of",
            "see the log of the server",
        ),
        (
            {"refused": [{"signal": "traces", "reason": "UnsupportedContentType", "count": 1}]},
            "refused",
            "1 request with traces refused: UnsupportedContentType",
            "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        ),
        (
            {"refused": [{"signal": "logs", "reason": "Other", "count": 2}]},
            "refused",
            "2 requests with logs refused: Other",
            "see the log of the sender, which has the answer of the server",
        ),
        (
            {"rejected": [{"signal": "traces", "reason": "invalid_trace_id", "count": 3}]},
            "rejected",
            "3 records of traces left out: invalid_trace_id",
            "have the sender write ids of 16 bytes that are not all zero; in JSON 32 hexadecimal digits",
        ),
        (
            {"dropped_values": [{"field": "session_id", "reason": "empty", "count": 1}]},
            "dropped",
            "1 value of session_id dropped: empty",
            "give a value that is not blank, or none",
        ),
        (
            {"time": "2026-11-18T11:08:40.000Z"},
            "clocks",
            "the clocks of the server and of this machine are 120 seconds apart, so --since finds other sessions than you mean",
            "sudo timedatectl set-ntp true",
        ),
        (
            {"version": None},
            "versions",
            "the server runs an older version, this command is 1",
            "stop the server, run: pip install 'otel-sessions[server]==1', and start it again",
        ),
        (
            {"version": "2"},
            "versions",
            "the server runs version 2, this command is 1",
            "stop the server, run: pip install 'otel-sessions[server]==1', and start it again",
        ),
        (
            {"store": {"bytes": 1, "free_bytes": 1_000}},
            "room",
            "1,000 bytes are free on the disk of the store; when it is full, nothing is stored",
            "keep less: otel-sessions serve --retention 30d,5GB",
        ),
    ],
)
def test_a_server_with_a_problem(health: dict[str, Any], check: str, finding: str, fix: str) -> None:
    """Exactly one check finds it, with its fix."""
    assert found(**health) == [(check, finding, fix)]


def test_reasons_that_were_counted_as_nothing() -> None:
    """A reason with a count of 0 is no finding."""
    none = [{"signal": "traces", "reason": "Busy", "count": 0}]
    assert found(refused=none, rejected=none) == []


def test_a_folder_has_no_other_version() -> None:
    """The app that reads a folder is this program."""
    assert found(url=None, version="2") == []
