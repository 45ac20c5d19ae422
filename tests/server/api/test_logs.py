"""The log records of a session, over REST."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.api.sending import START, a_span, message, path_of, send, send_logs
from tests.server.otlp.building import AT

from otel_sessions.server.backend import Backend


def a_log(body: Any, *, trace: int = 0, span: int = 0, after: int = 0, **more: Any) -> dict[str, Any]:
    """A log record; `trace` and `span` are ids, `after` nanoseconds."""
    ids = {"trace_id": trace.to_bytes(16) if trace else b"", "span_id": span.to_bytes(8) if span else b""}
    return {"body": body, "time_unix_nano": AT + after, **ids, **more}


def bodies(client: TestClient, session: str, **parameters: Any) -> list[Any]:
    """The bodies of a session's log records."""
    answer = client.get(path_of(session, "logs"), params=parameters)
    assert answer.status_code == 200, answer.text
    return [one["body"] for one in answer.json()["data"]]


def test_what_a_log_record_says(client: TestClient, backend: Backend) -> None:
    """A log record comes as it was sent, its values typed."""
    send(backend, a_span(0x10, 1, session="said"))
    attributes = {"n": 7, "f": 0.5, "ok": True, "list": [1, "a"], "map": {"k": None}, "raw": b"\x00"}
    send_logs(
        backend,
        a_log(
            {"deep": [1]},
            trace=0x10,
            span=1,
            severity_number=17,
            severity_text="ERROR",
            event_name="e",
            attributes=attributes,
        ),
        a_log(None, trace=0x10, after=1),
    )
    answer = client.get(path_of("said", "logs")).json()
    assert answer["data"] == [
        {
            "time": START,
            "severity": 17,
            "severity_text": "ERROR",
            "body": {"deep": [1]},
            "attributes": {**attributes, "raw": {"bytesValue": "AA=="}},
            "trace_id": f"{0x10:032x}",
            "span_id": f"{1:016x}",
            "service": "shop",
            "event_name": "e",
        },
        {
            "time": "2026-11-18T11:06:40.000000001Z",
            "severity": None,
            "severity_text": None,
            "body": None,
            "attributes": {},
            "trace_id": f"{0x10:032x}",
            "span_id": None,
            "service": "shop",
            "event_name": None,
        },
    ]
    assert answer["pagination"] == {"total": 2, "limit": 100, "offset": 0, "next": None}


NAMES = (
    "session.id",
    "gen_ai.conversation.id",
    "conversation.id",
    "thread_id",
    "langfuse.session.id",
    "openclaw.sessionId",
)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_a_session(client: TestClient, backend: Backend, name: str) -> None:
    """A record that is in no trace is found by every name that counting reads a session from."""
    send(backend, a_span(0x20 << 64 | NAMES.index(name), 1, session=f"by {name}"))
    send_logs(backend, a_log("mine", attributes={name: f"by {name}"}), a_log("another", attributes={name: "other"}))
    assert bodies(client, f"by {name}") == ["mine"]


def test_names_in_documents_on_resources_and_of_keys(client: TestClient, backend: Backend) -> None:
    """A session is also named inside a JSON attribute, by the resource, and by an attribute of its key."""
    send(backend, a_span(0x30, 1, session="wide", attributes={"session.key.run": "7"}))
    send_logs(backend, a_log("in a document", attributes={"metadata": '{"session_id": "wide"}'}))
    send_logs(backend, a_log("on the resource", after=1), resource={"session.id": "wide"})
    send_logs(backend, a_log("by key", after=2, attributes={"session.key.run": "7"}))
    assert bodies(client, "wide") == ["in a document", "on the resource"]
    assert bodies(client, "7", key="run") == ["by key"]


def test_a_shared_trace(client: TestClient, backend: Backend) -> None:
    """In a trace of several sessions each has the records of its own spans, and none that names another session."""
    root, a, b = a_span(0x40, 1), a_span(0x40, 2, session="a"), a_span(0x40, 3, session="b")
    send(backend, root, a, b, a_span(0x41, 1, session="a"))
    send_logs(
        backend,
        a_log("root", trace=0x40, span=1),
        a_log("a's", trace=0x40, span=2, after=1),
        a_log("b's", trace=0x40, span=3, after=2),
        a_log("b's by name", trace=0x40, span=2, after=3, attributes={"session.id": "b"}),
        a_log("of nobody", trace=0x40, span=2, after=4, attributes={"session.id": "nobody"}),
        a_log("a's by trace", trace=0x41, span=99, after=5),
        a_log("a's by a lesser name", trace=0x41, span=1, after=6, attributes={"thread_id": "t"}),
        a_log("cut", trace=0x41, span=1, after=7, attributes={"session.cut": ["id"]}),
        a_log("b's resource", trace=0x41, span=1, after=8),
    )
    send_logs(backend, a_log("of a, not of its resource", trace=0x41, span=1, after=9), resource={"session.id": "b"})
    assert bodies(client, "a") == [
        "a's",
        "a's by trace",
        "a's by a lesser name",
        "b's resource",
        "of a, not of its resource",
    ]
    assert bodies(client, "b") == ["b's", "b's by name"]


def test_records_of_cut_spans(client: TestClient, backend: Backend) -> None:
    """A record of a span that was cut from the session is not in it, though its trace is."""
    send(backend, a_span(0x50, 1, session="whole"), a_span(0x50, 2, attributes={"session.cut": ["id"]}))
    send_logs(backend, a_log("in", trace=0x50, span=1), a_log("out", trace=0x50, span=2))
    assert bodies(client, "whole") == ["in"]


def test_counted_records(client: TestClient, backend: Backend) -> None:
    """Records that tell of model calls are listed too, in a trace and in none."""
    called = {"event.name": "api_request", "model": "claude-sonnet-4-5", "input_tokens": "5", "output_tokens": "2"}
    claude = {"service.name": "claude-code"}
    records = [
        a_log(
            "claude_code.api_request",
            after=place,
            attributes={**called, "request_id": str(place), "session.id": "agent"},
        )
        for place in range(3)
    ]
    records[0] |= {"trace_id": (0x60).to_bytes(16), "span_id": (1).to_bytes(8)}
    send_logs(backend, *records, resource=claude)
    assert client.get(path_of("agent")).json()["data"]["call_count"] == 3
    assert bodies(client, "agent", event="api_request") == ["claude_code.api_request"] * 3


def test_filters(client: TestClient, backend: Backend) -> None:
    """Severities by name and number, a part of the body, events, times, services, traces and spans; all must be met."""
    send(backend, a_span(0x70, 1, session="many"), a_span(0xABC, 2, session="many"))
    send_logs(
        backend,
        a_log("Info", trace=0x70, span=1, severity_number=9, event_name="started"),
        a_log("Warning ÄÖ", trace=0x70, span=1, after=1_000, severity_number=14),
        a_log("Error%", trace=0x70, after=2_000, severity_text="ERROR", attributes={"event.name": "ended"}),
        a_log("Fatal", trace=0xABC, span=2, after=3_000, severity_number=21),
    )
    send_logs(backend, a_log("of a worker", trace=0x70, after=4_000), resource={"service.name": "worker"})
    all_of_them = ["Info", "Warning ÄÖ", "Error%", "Fatal", "of a worker"]

    def found(**parameters: Any) -> list[int]:
        return [all_of_them.index(body) for body in bodies(client, "many", **parameters)]

    assert found() == [0, 1, 2, 3, 4]
    assert found(order="desc") == [4, 3, 2, 1, 0]
    assert found(severity="error") == [2]
    assert found(severity="WARN") == found(severity="warning") == found(severity="14") == [1]
    assert found(severity="13") == []
    assert found(min_severity="warn") == [1, 2, 3]
    assert found(min_severity="18") == [3]
    assert found(severity="warn", min_severity="error") == []
    assert found(q="äö") == [1]
    assert found(q="%") == [2]
    assert found(event="started") == [0]
    assert found(event="ended") == [2]
    assert found(since="2026-11-18T11:06:40.000001Z") == [1, 2, 3, 4]
    assert found(until="2026-11-18T11:06:40.000001Z") == [0]
    assert found(service="worker") == [4]
    assert found(trace_id=f"{0xABC:032X}") == [3]
    assert found(span_id=f"{1:016x}") == [0, 1]
    assert found(q="", severity="", event="", trace_id="") == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        (
            "severity",
            "loud",
            "severity='loud': expected one of trace, debug, info, warn, error, fatal, or a number from 1 to 24",
        ),
        ("min_severity", "25", "min_severity='25': expected one of"),
        ("severity", "0", "severity='0': expected one of"),
        ("trace_id", "12", "trace_id='12': expected 32 hexadecimal digits"),
        ("span_id", "xyz", "span_id='xyz': expected 16 hexadecimal digits"),
        ("since", "yesterday", "since='yesterday': expected a time"),
        ("cursor", "bm90", "this is not a valid cursor"),
    ],
)
def test_bad_parameters(client: TestClient, backend: Backend, parameter: str, value: str, said: str) -> None:
    """A bad value is an error that names the parameter and what is expected."""
    assert said in message(client, path_of("many", "logs"), **{parameter: value})


def test_unknown_sessions(client: TestClient, backend: Backend) -> None:
    """A session that is not there is a 404, also where a log record names it that nothing counts."""
    send_logs(backend, a_log("alone", attributes={"session.id": "only a log"}))
    for session in ("never was", "only a log"):
        assert message(client, path_of(session, "logs"), 404) == f"there is no session with 'id' = '{session}'"


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_while_records_come_in(client: TestClient, backend: Backend, order: str) -> None:
    """A cursor repeats and skips nothing when records are added before and behind it."""
    session = f"growing {order}"
    send(backend, a_span(0x80, 1, session=session))
    send_logs(backend, *(a_log(place, after=place // 3, attributes={"session.id": session}) for place in range(30)))
    seen: list[Any] = []
    cursor = None
    while True:
        page = client.get(
            path_of(session, "logs"), params={"limit": 7, "order": order, **({"cursor": cursor} if cursor else {})}
        ).json()
        seen += [one["body"] for one in page["data"]]
        cursor = page["pagination"]["next"]
        if cursor is None:
            break
        send_logs(backend, a_log(-1, after=-5 if order == "asc" else 50, attributes={"session.id": session}))
    assert seen == (list(range(30)) if order == "asc" else list(reversed(range(30))))
    assert page["pagination"]["total"] == 34


def test_cursors_of_other_lists(client: TestClient, backend: Backend) -> None:
    """A cursor belongs to its session, order and filters, and a forged one is refused."""
    send(backend, a_span(0x90, 1, session="paged"))
    send_logs(backend, *(a_log(place, trace=0x90, after=place) for place in range(3)))
    cursor = client.get(path_of("paged", "logs"), params={"limit": 1}).json()["pagination"]["next"]
    assert bodies(client, "paged", cursor=cursor, offset=1) == [2]
    assert "another list" in message(client, path_of("paged", "logs"), cursor=cursor, order="desc")


def test_large_records(client: TestClient, backend: Backend) -> None:
    """A page of large records has fewer than its limit and leads to the others; a long value is cut, with its length."""
    send(backend, a_span(0xA0, 1, session="large"))
    for place in range(3):
        send_logs(backend, a_log("x" * 9_000_000, trace=0xA0, after=place))
    found = 0
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(path_of("large", "logs"), params={"cursor": cursor}).json()
        assert page["data"][0]["body"].endswith("… (9000000 characters)")
        found += len(page["data"])
        cursor = page["pagination"]["next"]
    assert found == 3
    assert len(page["data"]) == 1


def test_a_deletion_takes_what_was_listed(client: TestClient, backend: Backend) -> None:
    """Deleting a session deletes the log records that it lists, and no other ones."""
    send(backend, a_span(0xB0, 1, session="goes"), a_span(0xB0, 2, session="stays"), a_span(0xB1, 1, session="goes"))
    send_logs(
        backend,
        a_log("in its span", trace=0xB0, span=1),
        a_log("in the other span", trace=0xB0, span=2, after=1),
        a_log("names the other", trace=0xB0, span=1, after=2, attributes={"session.id": "stays"}),
        a_log("in its trace", trace=0xB1, after=3),
        a_log("by another name", after=4, attributes={"conversation.id": "goes"}),
    )
    assert bodies(client, "goes") == ["in its span", "in its trace", "by another name"]
    client.delete(path_of("goes"))
    assert bodies(client, "stays") == ["in the other span", "names the other"]
    send(backend, a_span(0xB2, 1, session="goes"), a_span(0xB1, 1, session="goes"))
    assert bodies(client, "goes") == []
