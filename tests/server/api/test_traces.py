"""One trace by its id, in a session or not."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.api.sending import START, a_span, send, send_logs
from tests.server.otlp.building import AT

from otel_sessions.server.backend import Backend

SHOP = {"service.name": "shop"}


def path(trace_id: int, rest: str = "") -> str:
    """The path of a trace."""
    return f"/v1/traces/{trace_id:032x}{rest}"


def test_a_trace_without_a_session(client: TestClient, backend: Backend) -> None:
    """A trace in no session comes with its spans as they were sent."""
    send(backend, a_span(1, 1, name="root"), a_span(1, 2, name="child", parent_span_id=(1).to_bytes(8)), resource=SHOP)
    found = client.get(path(1)).json()["data"]
    spans = found.pop("spans")
    assert found == {
        "trace_id": f"{1:032x}",
        "start": START,
        "end": "2026-11-18T11:06:40.000000005Z",
        "duration_ms": 5e-06,
        "span_count": 2,
        "unassigned_span_count": 2,
        "services": ["shop"],
        "sessions": [],
    }
    assert [span["name"] for span in spans["data"]] == ["root", "child"]
    assert spans["pagination"] == {"total": 2, "limit": 100, "offset": 0, "next": None}


def test_the_sessions_of_a_trace(client: TestClient, backend: Backend) -> None:
    """A trace names all sessions of its spans, and says how many spans are in none."""
    cut = a_span(2, 3, attributes={"session.cut": ["*"]})
    send(backend, a_span(2, 1, session="b", attributes={"session.key.run": "1"}), a_span(2, 2, session="a"), cut)
    found = client.get(path(2)).json()["data"]
    assert found["sessions"] == [{"key": "id", "id": "a"}, {"key": "id", "id": "b"}, {"key": "run", "id": "1"}]
    assert (found["span_count"], found["unassigned_span_count"]) == (3, 1)


def test_pages_of_spans(client: TestClient, backend: Backend) -> None:
    """The spans of a trace come page by page in the order of their start; the first page leads on to the second."""
    starts: list[dict[str, Any]] = [
        {"start_time_unix_nano": AT + number, "end_time_unix_nano": AT + number} for number in range(205)
    ]
    send(backend, *(a_span(3, 999 - number, **times) for number, times in enumerate(starts)))
    page = client.get(path(3)).json()["data"]["spans"]
    found = page["data"]
    while page["pagination"]["next"]:
        page = client.get(path(3, "/spans"), params={"cursor": page["pagination"]["next"]}).json()
        found += page["data"]
    assert [int(span["span_id"], 16) for span in found] == [999 - number for number in range(205)]
    assert client.get(path(3, "/spans"), params={"limit": 2, "offset": 204}).json()["data"] == found[204:]
    assert client.get(path(3, "/spans"), params={"offset": 999}).json()["data"] == []


def test_a_trace_of_a_placeholder(client: TestClient, backend: Backend) -> None:
    """A trace of which only a placeholder for a span came is shown."""
    send(backend, a_span(4, 1, attributes={"logfire.span_type": "pending_span"}))
    assert client.get(path(4)).json()["data"]["span_count"] == 1


def test_a_trace_of_log_records(client: TestClient, backend: Backend) -> None:
    """A trace of which only log records came is shown, without spans."""
    ids = {"trace_id": (5).to_bytes(16), "span_id": (1).to_bytes(8)}
    send_logs(backend, ids, {**ids, "time_unix_nano": AT + 7_000_000}, resource=SHOP)
    found = client.get(path(5)).json()["data"]
    assert (found["start"], found["duration_ms"], found["services"]) == (START, 7.0, ["shop"])
    assert (found["span_count"], found["sessions"], found["spans"]["data"]) == (0, [], [])
    assert client.get(path(5, "/spans")).json()["pagination"]["total"] == 0


def test_upper_case(client: TestClient, backend: Backend) -> None:
    """An id in upper case is the same id."""
    send(backend, a_span(0xABC))
    assert client.get(f"/v1/traces/{0xABC:032X}").json()["data"]["trace_id"] == f"{0xABC:032x}"


@pytest.mark.parametrize("rest", ["", "/spans"])
def test_an_unknown_trace(client: TestClient, rest: str) -> None:
    """An unknown id is not found, and the message names it."""
    answer = client.get(path(77, rest))
    assert answer.status_code == 404
    assert f"{77:032x}" in answer.json()["error"]["message"]


@pytest.mark.parametrize("bad", ["1", "x" * 32, "a" * 33, "%20", "x" * 5_000])
@pytest.mark.parametrize("rest", ["", "/spans"])
def test_a_bad_id(client: TestClient, bad: str, rest: str) -> None:
    """An id that is not 32 hexadecimal digits is refused with a short message."""
    answer = client.get(f"/v1/traces/{bad}{rest}")
    assert answer.status_code == 400
    assert "32 hexadecimal digits" in answer.json()["error"]["message"]
    assert len(answer.text) < 300


def test_unknown_parameters(client: TestClient) -> None:
    """The trace itself has no parameters; its spans have those of a page."""
    assert client.get(path(1), params={"limit": 5}).status_code == 400
    assert client.get(path(1, "/spans"), params={"key": "id"}).status_code == 400
