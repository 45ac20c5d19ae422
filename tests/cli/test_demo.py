"""`otel-sessions demo` sends sessions that a newcomer can look at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.answering import Answering
from tests.cli.terminal import in_pipe, in_terminal
from tests.server.running import Server


def test_sessions(tmp_path: Path) -> None:
    """Each run sends three sessions of its own: with tools, with a failure, and of log records only."""
    with Server(tmp_path / "store") as server:
        ids = in_pipe("demo", "--url", server.url).out.split()
        assert [one.rpartition("-")[0] for one in ids] == ["support", "refund", "coding"]
        sessions = {one["id"]: one for one in server.get("/v1/sessions")["data"]}
        support, refund, coding = (sessions[one] for one in ids)
        assert (support["trace_count"], support["call_count"], support["user_ids"]) == (2, 4, ["ann"])
        assert (support["failed_trace_count"], support["name"]) == (0, "Parcel of order 1042")
        assert refund["failed_trace_count"] == 1
        assert (coding["span_count"], coding["call_count"], coding["total_cost"]) == (0, 2, "0.0972")
        again = json.loads(in_pipe("demo", "--url", server.url, "--json").out)["sessions"]
        assert not {*ids} & {*again}
        assert server.get("/v1/sessions")["pagination"]["total"] == 6


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is told how to look at them, on the server that they are on."""
    with Answering(lambda _: (200, {})) as double:
        ran = in_terminal(monkeypatch, 80, "demo", "--url", double.url)
    (first, *_) = ran.out.split()
    assert ran.error == (
        f"sent; to look at them: otel-sessions list --url {double.url}, otel-sessions messages {first} --url {double.url}"
    )


def test_a_server_that_refuses() -> None:
    """What is refused is a failure."""
    with Answering(lambda _: (200, {"partialSuccess": {"rejectedSpans": "3"}})) as double:
        ran = in_pipe("demo", "--url", double.url)
    assert (ran.status, ran.out) == (1, "")
    assert "rejectedSpans" in ran.error
