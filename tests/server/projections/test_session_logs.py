"""Which log records belong to a session: what the store finds is what a plain reading of the rules says."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from tests.server.conversing import AT, Talks, any_value, record, span

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import members_of
from otel_sessions.counting.reading import span_facts

SESSIONS = ("a", "b", "c")
NAMES = ("session.id", "gen_ai.conversation.id", "langfuse.session.id", "traceloop.association.properties.session_id")
STRANGER = 9
"""The id of a span that is not stored."""

_databases = count()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine; a process can have only one."""
    folder = tmp_path_factory.mktemp("logs")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield f"chdb://{folder}"
    client.close()


@pytest.fixture
def talks(engine: str, tmp_path: Path) -> Iterator[Talks]:
    """An empty server."""
    talks = Talks(engine, f"logs_{next(_databases)}", tmp_path)
    yield talks
    talks.backend.close()


def attributes(chosen: random.Random) -> dict[str, Any]:
    """Names of sessions, mostly one or none, and now and then a cut."""
    names = chosen.sample(NAMES, chosen.choice((0, 0, 1, 1, 1, 2)))
    cut = {"session.cut": chosen.choice((["id"], ["*"], ["ticket"]))} if chosen.random() < 0.15 else {}
    return {**{name: chosen.choice(SESSIONS) for name in names}, **cut}


def facts(told: Mapping[str, Any], id_: int, parent: int | None) -> SpanFacts:
    """What counting reads of a span, or of a log record in a span."""
    return span_facts(told, span_id=id_, parent_id=parent, start=AT, end=AT, failed=False, scope="app", name="chat")


def expected(spans: Mapping[int, SpanFacts], own: SpanFacts) -> str | None:
    """The session of a log record: its own, unless the one around it has a name of a higher rank."""
    if own.cut and {"id", "*"}.intersection(own.cut):
        return None
    around: str | None = None
    rank = 0
    if spans:
        silent = facts({}, STRANGER, None)
        members = members_of({**spans, STRANGER: silent})
        place = STRANGER if own.parent_id not in spans or own.parent_id is None else own.parent_id
        around, rank = dict(members.sessions[place]).get("id"), members.ranks.get(place, 0)
    named = dict(own.values).get("id")
    return named if named is not None and (around is None or own.rank <= rank) else around


@pytest.mark.parametrize("seed", range(3))
def test_random_traces(talks: Talks, seed: int) -> None:
    """Sessions, ranks, cuts and shared traces in any combination; a deletion takes the same records."""
    chosen = random.Random(seed)
    spans: list[Any] = []
    records: list[Any] = []
    wanted: dict[str, list[int]] = {session: [] for session in SESSIONS}
    for trace in range(1, 40):
        stored: dict[int, SpanFacts] = {}
        for id_ in range(1, chosen.randint(0, 4) + 1):
            told, parent = attributes(chosen), chosen.randrange(id_)
            stored[id_] = facts(told, id_, parent or None)
            spans.append(span(trace, id_, told, parentSpanId=f"{parent:016x}" if parent else ""))
        for _ in range(4):
            told, within = attributes(chosen), chosen.choice((0, 1, 2, 3, STRANGER))
            body = len(records)
            session = expected(stored, facts(told, 10, within or None))
            if session is not None:
                wanted[session].append(body)
            place = {"traceId": f"{trace:032x}", "spanId": f"{within:016x}" if within else ""}
            records.append(record(told, at=AT + body, body=any_value(body), **place))
    for _ in range(8):
        told, body = attributes(chosen), len(records)
        session = expected({}, facts(told, 10, None))
        if session is not None:
            wanted[session].append(body)
        records.append(record(told, at=AT + body, body=any_value(body)))
    talks.send(*spans)
    talks.send_logs(*records)
    found = {session: listed(talks, session) for session in SESSIONS}
    assert found == wanted
    talks.client.delete("/v1/sessions/a")
    with talks.backend.store.reading() as client:
        left = {int(body) for (body,) in client.query("SELECT Body FROM otel_logs").result_rows}
    assert left == set(range(len(records))) - set(wanted["a"])


def listed(talks: Talks, session: str) -> list[int]:
    """The bodies of a session's log records."""
    answer = talks.get(f"/sessions/{session}/logs?limit=1000")
    return [one["body"] for one in answer["data"]]
