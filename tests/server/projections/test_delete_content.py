"""What was said in a session is removed from every table, in every dialect, and every number stays."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from tests.content.telling import DIALECTS, fixture
from tests.server.conversing import AT, SECOND, Talks, any_value, key_values, record, span

from otel_sessions.content import names
from otel_sessions.content.json_values import parsed
from otel_sessions.content.names import without_content
from otel_sessions.server.projections.delete_content import delete_content
from otel_sessions.server.projections.sessions import SessionRows

USAGE = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 3,
    "gen_ai.request.model": "gpt-4o",
    "llm.invocation_parameters": '{"temperature": 0.5, "instructions": "Be brief.", "n": 1.0, "tools": [{"a": "Paris"}]}',
}
WORDS = ("weather?", "rainy, 14 c.", "rainy 14", "paris", "be brief.")
TABLES = ("otel_traces", "otel_logs", "messages", "message_chains", "trace_facts", "session_traces", "sessions")
NAMES = ("title", "first_input", "last_output")
_databases = count()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine; a process can have only one."""
    folder = tmp_path_factory.mktemp("contents")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield f"chdb://{folder}"
    client.close()


@pytest.fixture
def talks(engine: str, tmp_path: Path) -> Iterator[Talks]:
    """An empty server."""
    talks = Talks(engine, f"contents_{next(_databases)}", tmp_path)
    yield talks
    talks.backend.close()


def send(talks: Talks, number: int, loaded: Mapping[str, Any], session: str) -> None:
    """Send what a fixture holds, in a trace of a session."""
    trace = number << 64 | 1
    if "span" in loaded:
        given = loaded["span"]
        attributes = {**given["attributes"], **(USAGE if given["kind"] == "llm" else {}), "session.id": session}
        events = [{"name": name, "attributes": key_values(told)} for name, told in given["events"]]
        kind = {"openinference.span.kind": given["kind"].upper()} if given["kind"] in ("llm", "agent", "tool") else {}
        talks.send(span(trace, 1, {**attributes, **kind}, events=events, at=AT + number * SECOND))
        return
    talks.send(span(trace, 1, {"session.id": session, **USAGE}, at=AT + number * SECOND))
    place = {"traceId": f"{trace:032x}", "spanId": f"{1:016x}"}
    records = [
        record({**one["attributes"], "session.id": session}, event=one["event_name"], body=any_value(one["body"]), at=AT + number * SECOND, **place)
        for one in loaded["records"]
    ]  # fmt: skip
    talks.send_logs(*records, service=loaded.get("service") or "app")


def numbers(talks: Talks, session: str) -> list[Any]:
    """All that is told of a session but its words."""
    found = [talks.get(f"/sessions/{session}{part}") for part in ("", "/traces", "/calls")]
    for name in NAMES:
        found[0]["data"].pop(name)
    return found


def left(talks: Talks) -> dict[str, list[str]]:
    """The words that a table still has, where it has any."""
    talks.backend.settle()
    talks.get("/sessions")
    found = {}
    with talks.backend.store.reading() as client:
        for table in TABLES:
            text = client.raw_query(f"SELECT * FROM {table}", fmt="JSONEachRow").decode("utf-8", "replace").lower()
            found[table] = [word for word in WORDS if word in text]
    return {table: words for table, words in found.items() if words}


def test_no_dialect_leaves_a_word(talks: Talks) -> None:
    """After the removal no table has a word of the conversations, and all numbers are as before, also after a rebuild."""
    for number, path in enumerate(DIALECTS, 1):
        send(talks, number, fixture(path), "s")
    assert {"otel_traces", "otel_logs", "messages", "trace_facts", "session_traces"} <= left(talks).keys()
    before = numbers(talks, "s")
    assert {one["trace_id"] for one in talks.messages("s")} == {
        f"{number << 64 | 1:032x}" for number in range(1, len(DIALECTS) + 1)
    }
    for _ in range(2):
        removed = talks.client.delete("/v1/sessions/s?content=only").json()["data"]
        counts = [removed[f"{name}_count"] for name in ("span", "log_record", "message")]
        assert left(talks) == {}
        assert numbers(talks, "s") == before
        assert not any(one["parts"] for one in talks.messages("s"))
        talks.rebuild()
    assert counts == [0, 0, 0]


HELD: list[dict[str, Any]] = [
    *({name: "Paris"} for name in sorted(names.NAMES)),
    *({f"{prefix}3.x": "Paris"} for prefix in names.PREFIXES),
    *({f"{start}x": "Paris"} for start in names.STARTS),
    *({name: "Paris"} for name in sorted(names.OF_MESSAGES)),
    *({name: {"n": 1.0, "text": "Paris", "a/b": [1e300, "é", None]}} for name in sorted(names.PARTLY)),
    *({name: '{"n": 1.0, "tools": ["Paris"], "é": {"x": "\\u00e9"}}'} for name in sorted(names.PARTLY)),
    *({name: value} for name in sorted(names.PARTLY) for value in ("{cut", '{"system": "Paris', "{'system': 'Paris'}")),
    {"gen_ai.prompt.name": "Paris", "llm.input_messages_count": 3, "user": "Paris", "input_tokens": 3},
]
"""Attributes, one set for each row of the tables of names, and some that are no content."""


@pytest.mark.parametrize("event", ["", "gen_ai.user.message", "other"])
def test_the_tables_of_names(talks: Talks, event: str) -> None:
    """What is removed in the store is what `without_content` leaves out; the names stay."""
    spans, records = [], []
    for number, attributes in enumerate(HELD, 1):
        told = {**attributes, "session.id": "s"}
        events = [{"name": event or "x", "attributes": key_values(attributes)}]
        spans.append(span(1, number, told, events=events))
        records.append(record(told, event=event, body=any_value("Paris"), at=AT + number))
    talks.send(*spans)
    talks.send_logs(*records)
    talks.client.delete("/v1/sessions/s?content=only")
    stored = {int(one["span_id"], 16): one for one in talks.get("/sessions/s/spans?limit=1000")["data"]}
    logs = talks.get("/sessions/s/logs?limit=1000")["data"]
    for number, attributes in enumerate(HELD, 1):
        assert kept(stored[number]["attributes"], {**attributes, "session.id": "s"}) == plain(
            without_content(attributes)
        )
        (happened,) = stored[number]["events"]
        if event in names.EVENTS:
            assert happened["attributes"] == {}
        else:
            assert kept(happened["attributes"], attributes) == plain(without_content(attributes))
        log = logs[number - 1]
        assert kept(log["attributes"], {**attributes, "session.id": "s"}) == plain(without_content(attributes, event))
        assert log["body"] == (None if event in names.MESSAGES else "Paris")


def kept(found: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of attributes that were given, all of whose names are there."""
    assert found.keys() == given.keys()
    return plain(
        {name: found[name] for name in found if name != "session.id" and (found[name] != "" or name in names.PARTLY)}
    )


def plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with texts of JSON parsed, which may be spaced differently."""
    return {name: parsed(value) for name, value in attributes.items()}


def test_what_is_not_counted(talks: Talks) -> None:
    """Placeholders of spans, and log records that name the session but no span, lose their words as well."""
    asked = {"gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Paris"}]}]'}
    talks.send(
        span(1, 1, {**asked, "session.id": "s"}),
        span(1, 2, {**asked, "logfire.span_type": "pending_span"}, parentSpanId=f"{1:016x}"),
    )
    talks.send_logs(
        record({"session.id": "s"}, event="gen_ai.user.message", body=any_value({"content": "Paris"})),
        record(asked, traceId=f"{1:032x}"),
        record({"session.id": "other"}, event="gen_ai.user.message", body=any_value({"content": "Be brief."})),
    )
    removed = talks.client.delete("/v1/sessions/s?content=only").json()["data"]
    assert (removed["span_count"], removed["log_record_count"]) == (2, 2)
    assert left(talks) == {"otel_logs": ["be brief."]}


def test_a_session_that_is_gone(talks: Talks) -> None:
    """There is nothing to remove of an unknown session, nor of one that is deleted while the removal waits."""
    assert talks.backend.delete_content("unknown") == (0, 0, 0)
    talks.send(span(1, 1, {"session.id": "s", "input.value": "Paris"}))
    talks.backend.settle()
    store, rows = talks.backend.store, SessionRows(talks.backend.store)

    @contextmanager
    def changing(units: Collection[int]) -> Iterator[int]:
        if units:
            talks.backend.delete_session("s")
        yield 10**18

    assert delete_content(store, rows, ("id", "s"), changing=changing) == (0, 0, 0)
    assert left(talks) == {}
