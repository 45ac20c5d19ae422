"""The API gives the same bytes in whatever order and requests spans arrive, with the numbers of `SessionExporter`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from starlette.testclient import TestClient
from tests.exporting import chat, finished

from otel_sessions import SessionExporter, default_pricer
from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.signals import TRACES

PRICER = default_pricer()
KEYS = ("id", "topic")
TEXTS = st.sampled_from(["Where is my order?", "It is on\nits way.", " ", "ä" * 400, "\ud800half", "<b>x</b>"])
_databases = count()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine; a process can have only one."""
    folder = tmp_path_factory.mktemp("same")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield f"chdb://{folder}"
    client.close()


@st.composite
def spans(draw: st.DrawFn) -> list[ReadableSpan]:
    """Some traces of some sessions: nested, failed, with and without usage, sessions and labels."""
    made = []
    for trace in range(1, draw(st.integers(1, 4)) + 1):
        for span_id in range(1, draw(st.integers(1, 6)) + 1):
            parent = draw(st.none() | st.integers(1, span_id - 1)) if span_id > 1 else None
            attributes: dict[str, Any] = {}
            if draw(st.booleans()):
                attributes["session.key.topic"] = draw(st.sampled_from(["billing", "a/b?c#d%20"]))
            if draw(st.booleans()):
                attributes |= {
                    "session.tags": ["t", "'; DROP"],
                    "session.metadata.n": draw(st.sampled_from([1, True, "1", 1.5])),
                }
            if draw(st.booleans()):
                attributes |= {"user.id": draw(st.sampled_from(["u1", "u2"])), "session.name": "<b>Order</b>"}
            if draw(st.booleans()):
                said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": draw(TEXTS)}]}])
                answered = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": draw(TEXTS)}]}])
                attributes |= {"gen_ai.input.messages": said, "gen_ai.output.messages": answered}
            if draw(st.integers(0, 3)) == 0:
                attributes |= {"gen_ai.conversation.name": "Order", "gen_ai.agent.name": draw(st.sampled_from("ab"))}
            session = draw(st.sampled_from([None, "s1", "s1", "s2", "../../etc"]))
            start = draw(st.integers(0, 5_000))
            made.append(
                (chat if draw(st.integers(0, 2)) else finished)(
                    span_id,
                    parent,
                    trace=trace,
                    session=session,
                    attributes=attributes,
                    at=(start, start + draw(st.integers(0, 900))),
                    failed=draw(st.integers(0, 4)) == 0,
                )
            )
    return made


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[ReadableSpan], list[Any]]:
    """Spans, and the requests in which they arrive: shuffled, some doubled; `None` is a restart."""
    all_spans = draw(spans())
    sent = draw(st.permutations([*all_spans, *draw(st.lists(st.sampled_from(all_spans), max_size=5))]))
    steps: list[Any] = []
    while sent:
        size = draw(st.integers(1, len(sent)))
        steps.append(sent[:size])
        sent = sent[size:]
        if draw(st.integers(0, 3)) == 0:
            steps.append(None)
    return all_spans, steps


class Answers:
    """A server on an empty database, and its answers about all sessions."""

    def __init__(self, engine: str, folder: Path) -> None:
        self._settings = StoreSettings(engine, database=f"same_{next(_databases)}", readers=1)
        self._folder = folder / self._settings.database_name
        self.start()

    def start(self) -> None:
        """Open the backend, as a process does."""
        self.backend = Backend(Store(self._settings), self._folder, pricer=PRICER)

    def send(self, sent: Sequence[ReadableSpan]) -> None:
        """Acknowledge one request."""
        assert self.backend.receive(TRACES, encode_spans(sent).SerializeToString()).total == 0

    def restart(self) -> None:
        """End and start again."""
        assert self.backend.close()
        self.start()

    def end(self) -> list[bytes]:
        """The answers for all keys, oldest session first; the database is dropped."""
        with TestClient(create_app(self.backend)) as client:
            found = [client.get(f"/v1/sessions?key={key}&sort=created&order=asc").content for key in KEYS]
        with self.backend.store.writing() as writer:
            writer.command(f"DROP DATABASE {self._settings.database_name} SYNC")
        self.backend.close()
        return found


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(arrivals())
def test_the_same_spans_give_the_same_answer(
    engine: str, tmp_path: Path, arrival: tuple[list[ReadableSpan], list[Any]]
) -> None:
    """Spans give the same answers as one request, one by one, and shuffled, doubled, split and with restarts in between."""
    all_spans, steps = arrival
    at_once = Answers(engine, tmp_path)
    at_once.send(all_spans)
    expected = at_once.end()
    one_by_one = Answers(engine, tmp_path)
    for span in all_spans:
        one_by_one.send([span])
    assert one_by_one.end() == expected
    in_disorder = Answers(engine, tmp_path)
    for step in steps:
        if step is None:
            in_disorder.restart()
        else:
            in_disorder.send(step)
    assert in_disorder.end() == expected

    exporter = SessionExporter(price=PRICER)
    exporter.export(all_spans)
    for key, answer in zip(KEYS, expected, strict=True):
        sessions = json.loads(answer)["data"]
        counted = [rollup.to_dict() for rollup in exporter.sessions(key=key, sort="created", descending=False)]
        assert sessions == json.loads(json.dumps(counted))
    exporter.shutdown()
