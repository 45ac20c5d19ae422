"""Scores, annotations and names in a server in this process: sent, rebuilt, compared, sorted and filtered by, refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from httpx2 import Response
from starlette.testclient import TestClient
from starlette.types import Message
from tests.server.api.doubles import backend_with
from tests.server.conversing import AT, SECOND, Talks, key_values, record, span

from otel_sessions.server.api.app import create_app
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.signals import LOGS

NAME, VALUE = "gen_ai.evaluation.name", "gen_ai.evaluation.score.value"
LABEL, EVENT = "gen_ai.evaluation.score.label", "gen_ai.evaluation.result"
TRACE, SPAN = f"{1:032x}", f"{1:016x}"
_databases = count()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine; a process can have only one."""
    folder = tmp_path_factory.mktemp("given")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield f"chdb://{folder}"
    client.close()


@pytest.fixture
def talks(engine: str, tmp_path: Path) -> Iterator[Talks]:
    """A server with a session `s` of one span, and one `t` of a root and a child."""
    talks = Talks(engine, f"given_{next(_databases)}", tmp_path)
    talks.send(span(1, 1, {"session.id": "s", "session.tags": ["new"]}))
    talks.send(
        span(2, 2, {"session.id": "t", "session.tags": ["old"]}, at=AT + SECOND),
        span(2, 3, {}, parentSpanId=f"{2:016x}", at=AT + SECOND),
    )
    yield talks
    talks.backend.close()


def an_event(name: str, value: Any = None, **more: Any) -> dict[str, Any]:
    """The log record of a score; what is named `session` or `label` is an attribute, the rest are fields of the record."""
    attributes = {NAME: name, VALUE: value, "session.id": more.pop("session", None), LABEL: more.pop("label", None)}
    return record({key: one for key, one in attributes.items() if one is not None}, event=EVENT, **more)


def on_span(**attributes: Any) -> dict[str, Any]:
    """The event of a score on a span."""
    named = {{"name": NAME, "value": VALUE, "label": LABEL}[key]: value for key, value in attributes.items()}
    return {"name": EVENT, "timeUnixNano": str(AT), "attributes": key_values(named)}


def means(talks: Talks, session: str) -> dict[str, list[float | None]]:
    """The means of the scores of a session by their names: on itself, its traces and its spans."""
    scores = talks.get(f"/sessions/{session}")["data"]["scores"]
    return {name: [scores[name][level]["mean"] for level in ("session", "traces", "spans")] for name in sorted(scores)}


def add(talks: Talks, session: str, given: Any, to: str = "scores", **headers: str) -> Response:
    """Give something to a session."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = given if isinstance(given, bytes) else json.dumps(given).encode()
    path = f"/v1/sessions/{session}/{to}"
    return talks.client.post(path, content=content, headers={"Content-Type": "application/json", **named})


def rename(talks: Talks, session: str, name: str | None) -> Response:
    """Give a session a name."""
    return talks.client.patch(f"/v1/sessions/{session}", json={"name": name})


def ids(talks: Talks, query: str) -> list[str]:
    """The ids of a list of sessions."""
    return [one["id"] for one in talks.get(f"/sessions?{query}")["data"]]


def message(answer: Response, status: int) -> str:
    """The message of an error of a status."""
    assert answer.status_code == status, answer.text
    said: str = answer.json()["error"]["message"]
    return said


def test_a_rebuild_reads_the_scores_of_events_again(talks: Talks) -> None:
    """Scores of log records and of events on spans count the same after a rebuild, and so do those of requests."""
    other = {"name": "other", "timeUnixNano": str(AT)}
    talks.send(span(3, 4, {"session.id": "s"}, events=[on_span(name="c", value=0.3), other, on_span(name="no value")]))
    talks.send_logs(
        an_event("a", 1.0, session="s"),
        an_event("b", 2, traceId=f"{2:032x}", spanId=f"{3:016x}"),
        an_event("b", 4, traceId=f"{2:032x}"),
        an_event("no value", session="s"),
        record({"event.name": EVENT, NAME: "old", VALUE: 0.25, "session.id": "s"}),
        record({"event.name": EVENT, NAME: "not one", VALUE: 1, "session.id": "s"}, event="other"),
    )
    assert add(talks, "s", {"name": "mine", "value": 0.5}).status_code == 201
    expected = {"a": [1.0, None, None], "c": [None, None, 0.3], "mine": [0.5, None, None], "old": [0.25, None, None]}
    for _ in range(3):
        assert means(talks, "s") == expected
        assert means(talks, "t") == {"b": [None, 4, 2]}
        talks.rebuild()


def test_a_rebuild_forgets_scores_of_events_that_are_gone(talks: Talks) -> None:
    """A score whose log record is no longer stored is not counted after a rebuild; one of a request is."""
    talks.send_logs(an_event("gone", 1, session="s"))
    assert add(talks, "s", {"name": "mine", "value": True}).status_code == 201
    assert sorted(means(talks, "s")) == ["gone", "mine"]
    talks.backend.settle()
    with talks.backend.store.writing() as client:
        client.command("TRUNCATE TABLE otel_logs")
    talks.rebuild()
    assert means(talks, "s") == {"mine": [1.0, None, None]}


def test_lists_sort_and_filter_by_scores(talks: Talks) -> None:
    """Sessions are sorted by a score, page by page, and filtered by its bounds and its label; an empty bound is none."""
    talks.send(span(3, 1, {"session.id": "u"}), span(4, 1, {"session.id": "v"}))
    for session, value, label in (("s", 0.2, "bad"), ("t", 0.9, "good")):
        assert add(talks, session, {"name": "n", "value": value, "label": label}).status_code == 201
    assert ids(talks, "sort=score.n") == ["t", "s", "u", "v"]
    assert ids(talks, "sort=score.n&order=asc") == ["s", "t", "u", "v"]
    assert ids(talks, "min_score.n=0.5") == ids(talks, "label.n=good") == ["t"]
    assert ids(talks, "max_score.n=0.5&min_score.n=") == ["s"]
    seen, following = [], "sort=score.n&limit=1"
    while following:
        page = talks.get(f"/sessions?{following}")
        seen += [one["id"] for one in page["data"]]
        cursor = page["pagination"]["next"]
        following = cursor and f"sort=score.n&limit=1&cursor={cursor}"
    assert seen == ["t", "s", "u", "v"]
    assert "min_score.n" in message(talks.client.get("/v1/sessions?min_score.n=much"), 400)


@pytest.mark.parametrize(("query", "names"), [("by=tag", ["new", "old"]), ("a.tag=new&b.tag=old", ["a", "b"])])
def test_cohorts_have_mean_scores(talks: Talks, query: str, names: list[str]) -> None:
    """Cohorts by a facet and by two free filters show the same means."""
    assert add(talks, "s", {"name": "n", "value": 0.2}).status_code == 201
    assert add(talks, "t", {"name": "n", "value": 0.7}).status_code == 201
    found = sorted(talks.get(f"/cohorts?{query}")["data"], key=lambda one: str(one["value"]))
    assert [(one["value"], one["session_count"], one["scores"]["n"]) for one in found] == [
        (names[0], 1, {"count": 1, "mean": 0.2}),
        (names[1], 1, {"count": 1, "mean": 0.7}),
    ]


def test_a_filter_without_a_prefix_holds_for_both_cohorts(talks: Talks) -> None:
    """A cohort without sessions is left out."""
    assert [one["value"] for one in talks.get("/cohorts?a.service=app&b.tag=new&tag=old")["data"]] == ["a", "b"]
    (only,) = talks.get("/cohorts?a.service=app&b.q=unknown&tag=old&limit=10")["data"]
    assert (only["value"], only["session_count"]) == ("a", 1)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("a.tga=new", "a.tga"),
        ("b.metadata.=new", "b.metadata."),
        ("by=tag&a.tag=new", "give one"),
        ("a.failed=maybe", "failed=maybe"),
        ("a.min_score.n=x", "min_score.n=x"),
        ("by=colour", "by=colour"),
        ("", "by is missing"),
    ],
)
def test_comparisons_that_are_refused(talks: Talks, query: str, said: str) -> None:
    """A wrong comparison is a 400 that names what is wrong."""
    assert said in message(talks.client.get(f"/v1/cohorts?{query}"), 400).replace("'", "")


@pytest.mark.parametrize(
    ("to", "body", "other"),
    [
        ("scores", {"name": "n", "value": 1, "trace_id": TRACE, "span_id": SPAN}, {"name": "n", "value": 0}),
        ("annotations", {"text": "hm", "time": "2026-11-20T12:00:00Z"}, {"text": "no"}),
    ],
)
def test_a_key_makes_repeats_harmless(talks: Talks, to: str, body: dict[str, Any], other: dict[str, Any]) -> None:
    """The same `id` or `Idempotency-Key` adds once; something else under it is a conflict, and two keys are refused."""
    first = add(talks, "s", {**body, "id": "k"}, to)
    assert first.status_code == 201
    assert first.json() == add(talks, "s", body, to, Idempotency_Key="k").json()
    assert "choose another" in message(add(talks, "s", {**other, "id": "k"}, to), 409)
    assert "differ" in message(add(talks, "s", {**body, "id": "k"}, to, Idempotency_Key="other"), 400)
    for key in ("", "k" * 1_001):
        assert "1 to" in message(add(talks, "s", body, to, Idempotency_Key=key), 400)
    assert talks.get(f"/sessions/s/{to}")["data"] == [first.json()["data"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "n", "value": "0.5"}, "finite number"),
        (b'{"name": "n", "value": NaN}', "finite number"),
        (b'{"name": "n", "value": 1' + b"0" * 400 + b"}", "finite number"),
        ({"name": "n", "value": None}, "value or a label"),
        ({"name": "n", "value": 1, "span_id": SPAN}, "trace_id"),
        ({"name": "n", "value": 1, "trace_id": "0" * 32}, "all zeros"),
        ({"name": "n", "value": 1, "time": "yesterday"}, "since 1970"),
        ({"name": "n", "value": 1, "valeu": 1}, "valeu is no field"),
        (b"[", "no JSON"),
    ],
)
def test_a_score_that_is_refused(talks: Talks, body: object, said: str) -> None:
    """A wrong body is a 400 that says why, and nothing is stored."""
    assert said in message(add(talks, "s", body), 400)
    assert talks.get("/sessions/s/scores")["pagination"]["total"] == 0


def test_names(talks: Talks) -> None:
    """A name is given and taken back; a session that does not exist gets nothing."""
    assert rename(talks, "s", "Ant").json()["data"]["name"] == "Ant"
    assert ids(talks, "name=Ant") == ["s"]
    assert rename(talks, "s", None).json()["data"]["name"] is None
    message(rename(talks, "none", "Ant"), 404)
    for to, body in (("scores", {"name": "n", "value": 1}), ("annotations", {"text": "hm"})):
        message(add(talks, "none", body, to), 404)
        message(talks.client.get(f"/v1/sessions/none/{to}"), 404)


def test_a_session_that_goes_while_it_is_renamed() -> None:
    """A session that is deleted after its new name is stored is a 404."""
    client = TestClient(create_app(backend_with(None, exists=True)))
    answer = client.patch("/v1/sessions/s", json={"name": "n"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_body_that_is_too_large(talks: Talks) -> None:
    """A body over the limit is a 413 with a code of its own, and nothing is stored."""
    answer = add(talks, "s", b'"' + b"x" * 300_000 + b'"')
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert talks.get("/sessions/s/scores")["pagination"]["total"] == 0


def test_a_client_that_goes_before_its_body_has_come() -> None:
    """A body that ends early is refused, and nothing is added."""
    backend = backend_with(None, exists=True)
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answers.append(message)

    path = "/v1/sessions/s/scores"
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode()}
    asyncio.run(create_app(backend)({**scope, "query_string": b"", "headers": headers}, receive, send))
    assert [one["status"] for one in answers if one["type"] == "http.response.start"] == [400]
    backend.given.add_score.assert_not_called()  # type: ignore[attr-defined]


def test_only_missing_records_are_stored(talks: Talks) -> None:
    """Of records that come again from a file, those that are stored already are left out."""

    def given(*numbers: int) -> None:
        records = [record({"session.id": "s", "n": number}, at=AT + number) for number in numbers]
        body = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
        copies = dict.fromkeys(range(len(numbers)), 0)
        talks.backend.receive(LOGS, json.dumps(body).encode(), Format.JSON, copies=copies)

    for numbers in ((1,), (1, 2), (1, 2), (2, 3)):
        given(*numbers)
    assert [one["attributes"]["n"] for one in talks.get("/sessions/s/logs")["data"]] == [1, 2, 3]
