"""Sessions that log records tell of are deleted, dropped, rebuilt and shown as those of spans are."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from starlette.testclient import TestClient
from tests.counting.building import AT, MS
from tests.counting.emitters import SAID, Said, Tokens
from tests.server.dying_store import dying_at
from tests.server.telling import renamed, requests_of

from otel_sessions import default_pricer
from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.projections.delete import Deleted
from otel_sessions.server.projections.rebuild import rebuild
from otel_sessions.server.signals import LOGS, TRACES

PRICER = default_pricer()
RECORDINGS = Path(__file__).parent / "recordings"
MINUTE = 60_000
_databases = count()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine; a process can have only one."""
    folder = tmp_path_factory.mktemp("records")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield f"chdb://{folder}"
    client.close()


class Sessions:
    """A backend on an empty database, and its answers."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.settings = StoreSettings(engine, database=f"records_{next(_databases)}", readers=2)
        self._folder = folder / self.settings.database_name
        self.open()

    def open(self, wrapped: Callable[[Store], Store] = lambda store: store) -> None:
        """Open it as a process does; `wrapped` may change its store."""
        self.backend = Backend(wrapped(Store(self.settings)), self._folder, pricer=PRICER)

    def reopen(self, wrapped: Callable[[Store], Store] = lambda store: store) -> None:
        """End and start again."""
        assert self.backend.close()
        self.open(wrapped)

    def rebuild(self) -> None:
        """End, compute everything again, and start."""
        assert self.backend.close()
        store = Store(self.settings)
        rebuild(store, pricer=PRICER, batch=3)
        store.close()
        self.open()

    def send(self, said: Sequence[Said]) -> None:
        """Acknowledge spans and records."""
        for path, body, _ in requests_of(said):
            self.backend.receive(TRACES if path == "/v1/traces" else LOGS, body, Format.PROTOBUF)

    def answers(self, *keys: str) -> dict[str, Any]:
        """All that the API says of all sessions, by key and id."""
        found: dict[str, Any] = {}
        with TestClient(create_app(self.backend)) as client:
            for key in keys or ("id",):
                for one in client.get(f"/v1/sessions?key={key}&limit=100").json()["data"]:
                    path = f"/v1/sessions/{one['id']}"
                    found[f"{key} {one['id']}"] = [
                        one,
                        *(client.get(f"{path}{part}?key={key}").json() for part in ("", "/traces", "/calls", "/spans")),
                    ]
        return found

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        self.backend.settle()
        with self.backend.store.reading() as client:
            return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])

    def everything(self, *keys: str) -> Any:
        """All answers, and how much is stored."""
        return self.answers(*keys), self.rows("otel_logs"), self.rows("otel_traces")

    def bring(self, file: bytes) -> None:
        """Take the requests of a file that was exported."""
        for line in file.splitlines():
            signal = TRACES if line.startswith(b'{"resourceSpans"') else LOGS
            self.backend.receive(signal, line, Format.JSON)

    def exported(self, **parameters: str) -> bytes:
        """OTLP, a request a line."""
        with TestClient(create_app(self.backend)) as client:
            answer = client.get("/v1/export", params={"format": "otlp", **parameters})
            assert answer.status_code == 200, answer.text
            return answer.content


Fresh = Callable[..., Sessions]


@pytest.fixture
def fresh(engine: str, tmp_path: Path) -> Iterator[Fresh]:
    """A function that opens an empty server, and closes the one before; an engine has one server at a time."""
    opened: list[Sessions] = []

    def close() -> None:
        if opened:
            opened.pop().backend.close()

    def open_(said: Sequence[Said] = ()) -> Sessions:
        close()
        opened.append(Sessions(engine, tmp_path))
        opened[-1].send(said)
        return opened[-1]

    yield open_
    close()


def calls(first: int, *ends: int) -> list[Tokens]:
    """Calls that end at these times in ms, numbered from `first`; the tokens of two differ."""
    return [
        Tokens(number, end, 1_000 + 10 * number, 2, 3, 1 + number % 7) for number, end in enumerate(ends, start=first)
    ]


def told(emitter: str, session: str, some: Sequence[Tokens], *, by: str) -> list[Said]:
    """What the emitter says of calls of a session, in `spans`, `records` or `both`."""
    spans, records = SAID[emitter]
    found = [
        one
        for call in some
        for one in (*(spans(call) if by != "records" else ()), *(records(call) if by != "spans" else ()))
    ]
    return [renamed(one, session) for one in found]


ENDS = (1_000, 2_000, 5 * MINUTE - 1, 5 * MINUTE + 1, 40 * MINUTE)
GONE = {
    "records": told("claude code", "gone", calls(0, *ENDS), by="records"),
    "both": told("claude code", "gone", calls(0, *ENDS), by="both"),
    "both of codex": told("codex", "gone", calls(0, *ENDS), by="both"),
    "in spans": told("opentelemetry", "gone", calls(0, *ENDS), by="both"),
    "across cells": told("gemini cli", "gone", calls(0, *ENDS), by="records"),
}
STAYS = [
    *told("claude code", "stays", calls(50, *ENDS), by="records"),
    *told("qwen code", "stays too", calls(60, *ENDS), by="both"),
    # In the same traces as what goes.
    *told("opentelemetry", "beside", calls(0, *ENDS), by="records"),
]


@pytest.mark.parametrize("said", GONE)
def test_a_deleted_session_leaves_nothing(fresh: Fresh, said: str) -> None:
    """A deletion takes spans, records, facts and trace groups of a session; others show the same as if it had never been there."""
    stays = [one for one in STAYS if said != "in spans" or "beside" not in one.attributes.values()]
    expected = fresh(stays).everything()
    server = fresh([*GONE[said], *stays])
    before = server.answers()["id gone"][0]
    assert before["call_count"] == len(ENDS)
    deleted = server.backend.delete_session("gone")
    assert deleted.records == sum(not one.is_span for one in GONE[said])
    assert deleted.spans == sum(one.is_span for one in GONE[said])
    for _ in range(2):
        assert server.everything() == expected
        assert server.backend.delete_session("gone") == Deleted(0, 0)
        server.rebuild()
    server.send(GONE[said])
    assert server.answers()["id gone"][0] == before


@pytest.mark.parametrize("said", GONE)
def test_a_session_that_is_taken_along_is_the_same_elsewhere(fresh: Fresh, said: str) -> None:
    """A file of one session has every log record that is counted in it, whichever trace or time it is counted by, and not those of others."""
    server = fresh([*GONE[said], *STAYS])
    before = server.answers()
    taken = server.exported(ids='["gone"]')
    everything = server.exported()
    elsewhere = fresh()
    elsewhere.bring(taken)
    found = elsewhere.answers()
    assert found["id gone"] == before["id gone"]
    assert "id stays" not in found
    elsewhere = fresh()
    elsewhere.bring(everything)
    assert elsewhere.answers() == before


def test_what_agents_and_libraries_sent_comes_back(fresh: Fresh) -> None:
    """All recordings in one store, and their file in another: every answer is the same."""
    server = fresh()
    for file in sorted(RECORDINGS.glob("*.json")):
        body = file.read_bytes()
        server.backend.receive(TRACES if b'"resourceSpans"' in body else LOGS, body, Format.JSON)
    before, file_ = server.answers(), server.exported()
    assert len(before) > 8
    elsewhere = fresh()
    elsewhere.bring(file_)
    assert elsewhere.answers() == before
    assert elsewhere.exported() == file_


def test_records_of_a_deleted_trace_are_counted_again(fresh: Fresh) -> None:
    """Where a session of another key goes with spans that records tell of too, the records are counted by themselves."""
    some = calls(0, *ENDS)
    spans = [
        replace(one, attributes={**one.attributes, "session.key.ticket": "t"})
        for one in told("claude code", "s", some, by="spans")
    ]
    records = told("claude code", "s", some, by="records")
    expected = fresh(records).everything("id", "ticket")
    server = fresh([*spans, *records])
    server.backend.delete_session("t", key="ticket")
    assert server.everything("id", "ticket") == expected
    server.rebuild()
    assert server.everything("id", "ticket") == expected


@pytest.mark.parametrize("table", ["otel_logs", "trace_facts", "session_traces"])
def test_a_deletion_cut_short_ends_the_same(fresh: Fresh, table: str) -> None:
    """A deletion that dies at any statement is completed by the next one."""
    expected = fresh(STAYS).everything()
    server = fresh([*GONE["both"], *STAYS])
    server.reopen(lambda store: dying_at(store, rf"DELETE FROM {table}\b"))
    with pytest.raises(KeyboardInterrupt):
        server.backend.delete_session("gone")
    server.reopen()
    server.backend.delete_session("gone")
    assert server.everything() == expected


@pytest.mark.parametrize("seed", range(4))
def test_retention_leaves_what_a_rebuild_counts(fresh: Fresh, seed: int) -> None:
    """After old traces and records are dropped, every number is that of what is left."""
    rng = random.Random(2630 + seed)
    server = fresh()
    for place, emitter in enumerate(SAID):
        ends = sorted(rng.randint(0, 30 * MINUTE) for _ in range(8))
        for one in calls(20 * place, *ends):
            server.send(told(emitter, emitter, [one], by=rng.choice(["spans", "records", "both"])))
    for minutes in (4, 11, 16):
        server.backend.drop_older(AT + (minutes * MINUTE + rng.randint(-9, 9) * 1_000) * MS)
        before = server.answers()
        server.rebuild()
        assert server.answers() == before
    server.backend.drop_to_size(1)
    assert server.answers() == {}
    assert server.rows("otel_logs") == 0


OF_THIS_VERSION = {
    "session_traces": ["IsCell", "Turns", "TurnStates", "Listed"],
    "trace_facts": ["IsCell"],
    "otel_logs": ["CountedIn", "CountedAs"],
}
"""Columns that the version before did not have; migration 25 was its last one."""


def make_older(server: Sessions) -> None:
    """Make the store one of the version before, with its spans, and with log records that it did not count."""
    server.backend.settle()
    server.backend.reader.sessions()
    with server.backend.store.writing() as client:
        client.command("ALTER TABLE otel_logs DROP INDEX idx_counted_in")
        for table, columns in OF_THIS_VERSION.items():
            for column in columns:
                client.command(f"ALTER TABLE {table} DROP COLUMN {column}", settings={"mutations_sync": 2})
        client.command("DELETE FROM schema_version WHERE Version > 25")
        # What was counted of records alone was not there, and `Content` had no more than models and lanes.
        client.command("DELETE FROM trace_facts WHERE position(Facts, 'claude_code.') > 0")
        client.command("DELETE FROM session_traces WHERE Id = 'recorded'")
        older = "concat('[', arrayStringConcat(arraySlice(JSONExtractArrayRaw(Content), 1, 9), ','), ']')"
        client.command(
            f"ALTER TABLE session_traces UPDATE Content = {older} WHERE Content != ''", settings={"mutations_sync": 2}
        )
        client.command("TRUNCATE TABLE sessions")
        client.command("ALTER TABLE sessions DROP COLUMN IF EXISTS Traces")


def without_later_fields(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers without what only a version can tell that wrote the rows itself."""
    return {name: [_without(part) for part in parts] for name, parts in answers.items()}


def _without(said: Any) -> Any:
    if isinstance(said, list):
        return [_without(one) for one in said]
    if isinstance(said, dict):
        return {name: _without(value) for name, value in said.items() if name not in ("time", "cache", "next")}
    return said


def test_a_store_of_the_version_before(fresh: Fresh) -> None:
    """It is read, listed, paged and written to as it is; a rebuild counts the log records that were there."""
    spans = [
        *told("opentelemetry", "spans", calls(0, *ENDS), by="spans"),
        *told("qwen code", "more", calls(20, *ENDS), by="spans"),
    ]
    recorded = told("claude code", "recorded", calls(40, *ENDS), by="records")
    later = told("qwen code", "more", calls(60, 7_000, 50 * MINUTE), by="records")
    both = fresh([*spans, *recorded, *later]).answers()
    expected = fresh([*spans, *later]).answers()
    server = fresh([*spans, *recorded])
    make_older(server)
    server.reopen()
    before = server.answers()
    assert without_later_fields(before)["id spans"] == without_later_fields(expected)["id spans"]
    with TestClient(create_app(server.backend)) as client:
        page = client.get("/v1/sessions/spans/calls?limit=2&offset=2").json()
        assert page["data"] == before["id spans"][3]["data"][2:4]
        assert page["pagination"]["total"] == len(ENDS)
    server.send(later)
    assert without_later_fields(server.answers()) == without_later_fields(expected)
    server.rebuild()
    assert server.answers() == both
    for session in ("recorded", "more", "spans"):
        server.backend.delete_session(session)
    assert server.everything() == ({}, 0, 0)


def test_rows_that_a_collector_wrote(fresh: Fresh) -> None:
    """Log records whose rows do not say where they are counted are counted by a rebuild, and then deleted with their session."""
    expected = fresh([*STAYS]).everything()
    server = fresh([*STAYS, *GONE["both"]])
    before = server.answers()
    server.backend.settle()
    with server.backend.store.writing() as client:
        client.command(
            "ALTER TABLE otel_logs UPDATE CountedIn = 0, CountedAs = 0 WHERE 1", settings={"mutations_sync": 2}
        )
        for table in ("trace_facts", "session_traces"):
            client.command(f"TRUNCATE TABLE {table}")
    server.rebuild()
    assert server.answers() == before
    server.backend.delete_session("gone")
    assert server.everything() == expected
    server.rebuild()
    assert server.everything() == expected


DAY = 24 * 60 * MINUTE
ACTIVE = (
    ("com.anthropic.claude_code.events", "claude-code"),
    ("gemini-cli", "gemini-cli"),
    ("qwen-code", "qwen-code"),
)
"""Scopes and services of what is said beside calls."""


def beside_calls(rng: random.Random, session: str, trace_id: int) -> Iterator[Said]:
    """Prompts and tools in no trace, and a trace that may be days long, with a call or without."""
    for _ in range(6):
        scope, service = rng.choice(ACTIVE)
        at = AT + rng.choice([rng.randint(0, 30 * MINUTE), rng.randint(0, 3 * DAY)]) * MS
        said = {"session.id": session, "event.name": rng.choice(["user_prompt", "tool_result", "new"])}
        yield Said(0, 0, None, "", "", {**said, "prompt.id": f"p{rng.randint(0, 3)}"}, scope, service, at, at)
    scope, service = rng.choice(ACTIVE)
    start, at, end = (AT + moment * MS for moment in sorted(rng.sample(range(3 * DAY), 3)))
    yield Said(trace_id, 1, None, "root", None, {"session.id": session}, scope, service, start, end)
    if rng.random() < 0.7:
        call = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3}
        yield Said(trace_id, 2, 1, "chat", None, {"session.id": session, **call}, scope, service, at, at + 500 * MS)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_a_rebuild_give_the_same(fresh: Fresh, seed: int) -> None:
    """What is said of calls and beside them, near and days apart, gives one answer in any order, which a rebuild gives too."""
    rng = random.Random(2640 + seed)
    said: list[Said] = []
    for place, emitter in enumerate(SAID):
        ends = sorted(rng.choice([rng.randint(0, 30 * MINUTE), rng.randint(0, 3 * DAY)]) for _ in range(6))
        for one in calls(20 * place, *ends):
            session = f"s{rng.choice([place, place % 2])}"
            said += told(emitter, session, [one], by=rng.choice(["spans", "records", "both"]))
        said += beside_calls(rng, f"s{place}", 0x777000 + place)
    expected = fresh(said).answers()
    server = fresh()
    left = rng.sample(said, len(said))
    while left:
        size = rng.randint(1, 12)
        server.send(left[:size])
        left = left[size:]
        if rng.random() < 0.2:
            server.backend.settle()
    assert server.answers() == expected
    server.rebuild()
    assert server.answers() == expected
