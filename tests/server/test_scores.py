"""Scores, annotations and names of sessions in a server in a process of its own: sent, added, listed, deleted, rebuilt, killed."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import processes
from tests.server.asking import Answer, ask, path_of
from tests.server.otlp.building import AT, key_values, logs, traces
from tests.server.running import SECONDS, Server, post

NAME, VALUE = "gen_ai.evaluation.name", "gen_ai.evaluation.score.value"
LABEL, COMMENT = "gen_ai.evaluation.score.label", "gen_ai.evaluation.explanation"
EVENT = "gen_ai.evaluation.result"
NOTHING: dict[str, Any] = {"count": 0, "mean": None, "last": None, "labels": {}}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests of this module, since starting one for each would take long."""
    with Server(tmp_path_factory.mktemp("shared") / "store") as server:
        yield server


@pytest.fixture
def server(shared: Server) -> Iterator[Server]:
    """The server of the module; a test leaves no session in it."""
    yield shared
    for session in ids(shared, "limit=1000"):
        assert ask(shared, "DELETE", path_of(session)).status == 200


def a_span(trace: int, span: int, session: str | None = None, parent: int | None = None, **more: Any) -> dict[str, Any]:
    """A span, in a session if that is given."""
    found = {"trace_id": trace.to_bytes(16), "span_id": span.to_bytes(8), "attributes": {}, **more}
    if session is not None:
        found["attributes"] = {"session.id": session}
    if parent is not None:
        found["parent_span_id"] = parent.to_bytes(8)
    return found


def an_event(
    name: str, value: Any = None, *, trace: int = 0, span: int = 0, at: int = AT, **more: Any
) -> dict[str, Any]:
    """The log record of a score; underscores in the names of attributes stand for dots."""
    attributes = {NAME: name, **({} if value is None else {VALUE: value})}
    attributes |= {key.replace("_", "."): text for key, text in more.items()}
    ids = {"trace_id": trace.to_bytes(16)} if trace else {}
    ids |= {"span_id": span.to_bytes(8)} if span else {}
    return {"event_name": EVENT, "time_unix_nano": at, "attributes": attributes, **ids}


def on_span(attributes: dict[str, Any]) -> dict[str, Any]:
    """The event of a score on a span."""
    return {"name": EVENT, "time_unix_nano": AT, "attributes": key_values(attributes)}


def send_spans(server: Server, *spans: dict[str, Any]) -> None:
    """Send spans in one request."""
    assert post(f"{server.url}/v1/traces", traces(*spans).SerializeToString()) == 200


def send_logs(server: Server, *records: dict[str, Any]) -> None:
    """Send log records in one request."""
    assert post(f"{server.url}/v1/logs", logs(*records).SerializeToString()) == 200


def score(server: Server, session: str, /, **given: Any) -> Answer:
    """Add a score to a session."""
    return ask(server, "POST", path_of(session, "scores"), given)


def scores_of(server: Server, session: str, name: str) -> dict[str, Any]:
    """The scores of one name in a session."""
    found: dict[str, Any] = server.get(path_of(session))["data"]["scores"][name]
    return found


def means(server: Server, session: str, name: str) -> list[float | None]:
    """The means of the scores on a session, its traces and its spans."""
    found = scores_of(server, session, name)
    return [found[level]["mean"] for level in ("session", "traces", "spans")]


def ids(server: Server, query: str) -> list[str]:
    """The ids of a list of sessions."""
    return [one["id"] for one in server.get(f"/v1/sessions?{query}")["data"]]


def test_scores_on_a_session_its_traces_and_its_spans_stay_apart(server: Server) -> None:
    """Events and posted scores count by what they are on; a span without a session of its own is in that of its parent."""
    send_spans(server, a_span(1, 1, "s"), a_span(1, 2, parent=1), a_span(2, 3, "s"))
    send_logs(
        server,
        an_event("helpful", 1.0, session_id="s"),
        an_event("helpful", 0.1, trace=1),
        an_event("helpful", 0.2, trace=2),
        an_event("helpful", 0.5, trace=1, span=2),
    )
    assert means(server, "s", "helpful") == [1.0, 0.15, 0.5]
    assert score(server, "s", name="helpful", value=0.3, trace_id=f"{1:032x}").status == 201
    assert means(server, "s", "helpful") == [1.0, 0.2, 0.5]


def test_an_event_on_a_span_is_a_score_of_that_span(server: Server) -> None:
    """What `score_session` writes on a span without a `LoggerProvider` counts as the log record does."""
    event = on_span({NAME: "helpful", VALUE: 0.9, COMMENT: "at once"})
    send_spans(server, a_span(1, 1, "s", events=[event]))
    assert means(server, "s", "helpful") == [None, None, 0.9]
    (listed,) = server.get(path_of("s", "scores"))["data"]
    assert listed["comment"] == "at once"
    assert (listed["source"], listed["span_id"]) == ("otel", f"{1:016x}")


def test_a_score_finds_its_session_when_its_span_comes_later(server: Server) -> None:
    """A score on a span, and one on its trace, are in no session until the spans tell one, and follow them when they change."""
    send_logs(server, an_event("helpful", 0.5, trace=1, span=2), an_event("helpful", 0.7, trace=1))
    assert ids(server, "") == []
    send_spans(server, a_span(1, 1, "s"))
    assert means(server, "s", "helpful") == [None, 0.7, 0.5]
    send_spans(server, a_span(1, 2, "other", parent=1))
    assert means(server, "s", "helpful") == [None, 0.7, None]
    assert means(server, "other", "helpful") == [None, 0.7, 0.5]


def test_a_score_that_names_another_session_than_its_span_is_on_that_session(server: Server) -> None:
    """A judge that runs in a trace of its own and names the session scores the session, not its own span."""
    send_spans(server, a_span(1, 1, "s"), a_span(9, 9))
    send_logs(server, an_event("helpful", 0.5, trace=9, span=9, session_id="s"))
    assert means(server, "s", "helpful") == [0.5, None, None]


def test_what_is_sent_twice_counts_once(server: Server) -> None:
    """Requests that are repeated, alone or with others, change no number."""
    send_spans(server, a_span(1, 1, "s"))
    event = an_event("helpful", 0.5, session_id="s")
    send_logs(server, event)
    send_logs(server, event, an_event("helpful", 0.6, session_id="s"), event)
    found = scores_of(server, "s", "helpful")["session"]
    assert (found["count"], found["mean"]) == (2, 0.55)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), "many", None])
def test_an_event_without_a_number_and_a_label_is_no_score(server: Server, value: Any) -> None:
    """A value that is no finite number is dropped and counted; with a label the score is that label."""
    send_spans(server, a_span(1, 1, "s"))
    event = an_event("worded", value, session_id="s")
    send_logs(server, an_event("bad", value, session_id="s"))
    send_logs(server, {**event, "attributes": {**event["attributes"], LABEL: "pass"}})
    found = server.get(path_of("s"))["data"]["scores"]
    assert found == {
        "worded": {
            "session": {"count": 1, "mean": None, "last": "pass", "labels": {"pass": 1}},
            "traces": NOTHING,
            "spans": NOTHING,
        }
    }
    dropped = {one["field"]: one["count"] for one in server.get("/healthz")["dropped_values"]}
    assert dropped["score"] > 0


def test_a_rename_shows_at_once_and_can_be_taken_back(server: Server) -> None:
    """The name that was given comes before that of spans in the session, the list, `q`, `name` and the order."""
    send_spans(server, a_span(1, 1, "a"), a_span(2, 2, "b"))
    send_spans(server, {**a_span(3, 3, "b"), "attributes": {"session.id": "b", "session.name": "Zebra"}})
    assert ids(server, "sort=name") == ["b", "a"]
    assert ask(server, "PATCH", path_of("b"), {"name": "Ant"}).body["data"]["name"] == "Ant"
    assert ask(server, "PATCH", path_of("a"), {"name": "Bee"}).body["data"]["name"] == "Bee"
    assert ids(server, "sort=name&order=asc") == ["b", "a"]
    assert ids(server, "name=Ant") == ids(server, "q=ANT") == ["b"]
    assert ids(server, "name=Zebra") == ids(server, "q=zebra") == []
    send_spans(server, {**a_span(4, 4, "b"), "attributes": {"session.id": "b", "session.name": "Yak"}})
    assert ids(server, "name=Ant") == ["b"]
    assert ask(server, "PATCH", path_of("b"), {"name": None}).body["data"]["name"] in ("Yak", "Zebra")
    assert ids(server, "name=Ant") == []


def test_lists_sort_and_filter_by_the_score_of_a_session(server: Server) -> None:
    """Its own last score counts, else the mean of its traces', else of its spans'; a session without one comes last."""
    sessions = ("own", "traces", "spans", "none")
    send_spans(server, *(a_span(number, number, name) for number, name in enumerate(sessions, start=1)))
    send_logs(
        server,
        an_event("helpful", 0.9, session_id="own"),
        an_event("helpful", 0.2, session_id="own", at=AT + 1),
        an_event("helpful", 1.0, trace=1),
        an_event("helpful", 0.1, trace=2),
        an_event("helpful", 0.7, trace=2, at=AT + 1),
        an_event("helpful", 0.9, trace=2, span=2),
        an_event("helpful", -3, trace=3, span=3),
    )
    assert ids(server, "sort=score.helpful") == ["traces", "own", "spans", "none"]
    assert ids(server, "sort=score.helpful&order=asc") == ["spans", "own", "traces", "none"]
    assert ids(server, "sort=score.helpful&min_score.helpful=0.2") == ["traces", "own"]
    assert ids(server, "sort=score.helpful&min_score.helpful=0.4") == ["traces"]
    assert ids(server, "sort=score.helpful&max_score.helpful=0.4") == ["traces", "own", "spans"]
    assert ids(server, "max_score.helpful=-3") == ["spans"]
    assert ids(server, "min_score.other=-1000") == []
    first = server.get("/v1/sessions?sort=score.helpful&limit=1")
    seen = [one["id"] for one in first["data"]]
    while first["pagination"]["next"]:
        first = server.get(f"/v1/sessions?sort=score.helpful&limit=1&cursor={first['pagination']['next']}")
        seen += [one["id"] for one in first["data"]]
    assert seen == ["traces", "own", "spans", "none"]


def test_lists_filter_by_labels(server: Server) -> None:
    """The last label on the session itself counts, else any on its traces, else any on its spans."""
    send_spans(server, *(a_span(number, number, name) for number, name in enumerate("abc", start=1)))
    for session, given in (
        ("a", {"label": "bad"}),
        ("a", {"label": "good"}),
        ("a", {"label": "bad", "trace_id": f"{1:032x}"}),
        ("b", {"label": "good", "trace_id": f"{2:032x}"}),
        ("b", {"label": "bad", "trace_id": f"{2:032x}"}),
        ("c", {"label": "bad", "trace_id": f"{3:032x}", "span_id": f"{3:016x}"}),
    ):
        assert score(server, session, name="tone", **given).status == 201
    assert sorted(ids(server, "label.tone=good")) == ["a", "b"]
    assert sorted(ids(server, "label.tone=bad")) == ["b", "c"]


def test_a_key_makes_repeats_of_a_post_harmless(server: Server) -> None:
    """The same `id` or `Idempotency-Key` adds once, and something else under it is refused."""
    send_spans(server, a_span(1, 1, "s"))
    first = score(server, "s", name="helpful", value=1, id="k")
    assert first == score(server, "s", name="helpful", value=1, id="k")
    assert first == ask(server, "POST", path_of("s", "scores"), {"name": "helpful", "value": 1}, Idempotency_Key="k")
    assert score(server, "s", name="helpful", value=0, id="k").status == 409
    assert score(server, "s", name="helpful", value=1, id="k", trace_id="1" * 32).status == 409
    remark = ask(server, "POST", path_of("s", "annotations"), {"text": "hm", "id": "k"})
    assert remark == ask(server, "POST", path_of("s", "annotations"), {"text": "hm", "id": "k"})
    assert ask(server, "POST", path_of("s", "annotations"), {"text": "no", "id": "k"}).status == 409
    assert score(server, "s", name="helpful", value=1).status == score(server, "s", name="helpful", value=1).status
    assert scores_of(server, "s", "helpful")["session"]["count"] == 3
    assert server.get(path_of("s"))["data"]["annotation_count"] == 1


def test_a_deletion_takes_scores_annotations_and_the_name(server: Server) -> None:
    """After a deletion the session can come again and has nothing of what it was given before."""
    send_spans(server, a_span(1, 1, "s"), a_span(2, 2, "kept"))
    send_logs(
        server,
        an_event("a", 1, session_id="s"),
        an_event("b", 1, trace=1),
        an_event("c", 1, trace=1, span=1),
        an_event("d", 1, trace=2),
    )
    for session in ("s", "kept"):
        assert score(server, session, name="e", value=1).status == 201
        assert ask(server, "POST", path_of(session, "annotations"), {"text": "hm"}).status == 201
        assert ask(server, "PATCH", path_of(session), {"name": "named"}).status == 200
    assert len(server.get(path_of("s", "scores"))["data"]) == 4
    assert ask(server, "DELETE", path_of("s")).status == 200
    assert ask(server, "GET", path_of("s", "scores")).status == 404
    send_spans(server, a_span(1, 1, "s"))
    again = server.get(path_of("s"))["data"]
    assert (again["scores"], again["annotation_count"], again["name"]) == ({}, 0, None)
    kept = server.get(path_of("kept"))["data"]
    assert (sorted(kept["scores"]), kept["annotation_count"], kept["name"]) == (["d", "e"], 1, "named")


def told(server: Server) -> Any:
    """All that two sessions were given."""
    return [
        (server.get(path_of(one))["data"], server.get(path_of(one, "scores")), server.get(path_of(one, "annotations")))
        for one in ("s", "t")
    ]


def test_what_was_given_survives_a_kill_and_a_rebuild(tmp_path: Path) -> None:
    """What was answered with 201 or 200 is there after `kill -9`; a rebuild reads scores of events again and keeps those of requests."""
    event = on_span({NAME: "c", VALUE: 0.3, LABEL: "ok"})
    with Server(tmp_path / "store", "--sync") as server:
        send_spans(server, a_span(1, 1, "s", events=[event]), a_span(2, 2, "t"), a_span(2, 3, parent=2))
        send_logs(
            server, an_event("a", 1, session_id="s"), an_event("b", 2, trace=2, span=3), an_event("b", 4, trace=2)
        )
        assert score(server, "s", name="mine", value=0.5, comment="so so", author="me", source="page").status == 201
        assert score(server, "t", name="mine", label="fine", trace_id=f"{2:032x}").status == 201
        assert ask(server, "POST", path_of("t", "annotations"), {"text": "look", "author": "me"}).status == 201
        assert ask(server, "PATCH", path_of("t"), {"name": "renamed"}).status == 200
        before = told(server)
        assert ids(server, "name=renamed") == ["t"]
        server.kill()
    with Server(tmp_path / "store") as server:
        assert told(server) == before
        assert ids(server, "name=renamed") == ["t"]
        assert server.stop()[0] == 0
    for _ in range(2):
        options = ("-m", "otel_sessions", "rebuild", "--store", f"chdb://{tmp_path / 'store'}")
        assert processes.run(sys.executable, *options).returncode == 0
    with Server(tmp_path / "store") as server:
        assert told(server) == before
        assert ids(server, "name=renamed") == ["t"]
        assert ids(server, "sort=score.a") == ["s", "t"]


def test_cohorts_show_mean_scores(server: Server) -> None:
    """A mean is over the sessions that have a score, by a facet as by two free filters; what is no filter is named."""
    given = (("new", 0.1), ("new", 0.2), ("old", 0.7), ("old", None))
    for number, (tag, value) in enumerate(given, start=1):
        send_spans(server, a_span(number, 1, attributes={"session.id": f"s{number}", "session.tags": [tag]}))
        if value is not None:
            assert score(server, f"s{number}", name="helpful", value=value).status == 201
    expected = [({"count": 2, "mean": 0.15}, 2), ({"count": 1, "mean": 0.7}, 2)]
    for query, names in (("by=tag", ["new", "old"]), ("a.tag=new&b.tag=old", ["a", "b"])):
        found = sorted(server.get(f"/v1/cohorts?{query}")["data"], key=lambda one: str(one["value"]))
        assert [one["value"] for one in found] == names
        assert [(one["scores"]["helpful"], one["session_count"]) for one in found] == expected
    (only,) = server.get("/v1/cohorts?a.min_score.helpful=0.7&b.q=unknown&tag=old")["data"]
    assert (only["value"], only["session_count"]) == ("a", 1)
    for query in ("a.tga=new", "by=tag&a.tag=new", "a.failed=maybe", "a.min_score.helpful=x"):
        assert ask(server, "GET", f"/v1/cohorts?{query}").status == 400


@pytest.mark.parametrize("value", [1e300, -1e300, 5e-324, 1e20, 0.1 + 0.2])
def test_any_finite_number_is_a_score(server: Server, value: float) -> None:
    """The largest and the smallest numbers are shown, sorted and filtered by as they are."""
    send_spans(server, a_span(1, 1, "s"))
    for _ in range(3):
        assert score(server, "s", name="n", value=value, trace_id=f"{1:032x}").status == 201
    assert scores_of(server, "s", "n")["traces"]["mean"] == value
    assert ids(server, "sort=score.n") == ["s"]
    (cohort,) = server.get("/v1/cohorts?by=service")["data"]
    assert cohort["scores"]["n"]["count"] == 1


def test_a_change_of_a_session_is_told_live(server: Server) -> None:
    """A score, an annotation and a rename are changes of the session, from an event as from a request."""
    send_spans(server, a_span(1, 1, "s"))
    with urllib.request.urlopen(f"{server.url}/v1/live", timeout=SECONDS) as stream:
        assert stream.readline() == b":\n"
        for change in (
            lambda: score(server, "s", name="n", value=1),
            lambda: ask(server, "POST", path_of("s", "annotations"), {"text": "hm"}),
            lambda: ask(server, "PATCH", path_of("s"), {"name": "named"}),
            lambda: send_logs(server, an_event("n", 1, trace=1, span=1)),
        ):
            change()
            event = next(line for line in stream if line.startswith(b"data: "))
            assert json.loads(event.removeprefix(b"data: "))["sessions"] == [{"key": "id", "id": "s"}]


@pytest.mark.parametrize(
    ("subresource", "body", "said"),
    [
        ("scores", {}, "name"),
        ("scores", {"name": " ", "value": 1}, "name"),
        ("scores", {"name": "n" * 201, "value": 1}, "name"),
        ("scores", {"name": "a\nb", "value": 1}, "name"),
        ("scores", {"name": "n"}, "value or a label"),
        ("scores", {"name": "n", "value": "0.5"}, "value"),
        ("scores", b'{"name": "n", "value": NaN}', "value"),
        ("scores", b'{"name": "n", "value": -Infinity}', "value"),
        ("scores", b'{"name": "n", "value": 1e999}', "value"),
        ("scores", b'{"name": "n", "value": 1' + b"0" * 400 + b"}", "value"),
        ("scores", {"name": "n", "value": 1, "span_id": "1" * 16}, "trace_id"),
        ("scores", {"name": "n", "value": 1, "trace_id": "0" * 32}, "trace_id"),
        ("scores", {"name": "n", "value": 1, "trace_id": "xyz"}, "trace_id"),
        ("scores", {"name": "n", "value": 1, "valeu": 2}, "valeu"),
        ("scores", {"name": "n", "value": 1, "source": "mine"}, "source"),
        ("scores", {"name": "n", "value": 1, "time": "yesterday"}, "time"),
        ("scores", b"[", "JSON"),
        ("scores", b"\xff", "JSON"),
        ("scores", b'"\\ud800"', "JSON"),
        ("annotations", {}, "text"),
        ("annotations", {"text": ""}, "text"),
        ("annotations", {"text": "x" * 20_001}, "text"),
        ("annotations", {"text": "x", "author": "a\0b"}, "author"),
        ("", {}, "name"),
        ("", {"name": "n" * 201}, "name"),
        ("", {"name": 7}, "name"),
        ("", {"name": "a\tb"}, "name"),
        ("", ["name"], "object"),
    ],
)
def test_a_body_that_is_refused_is_told_why(shared: Server, subresource: str, body: object, said: str) -> None:
    """A wrong body is a 400 that names the field, and nothing is stored."""
    send_spans(shared, a_span(1, 1, "s"))
    answer = ask(shared, "POST" if subresource else "PATCH", path_of("s", subresource), body)
    assert (answer.status, said in answer.body["error"]["message"]) == (400, True), answer
    assert ask(shared, "GET", path_of("s", "scores")).body["pagination"]["total"] == 0


def test_writing_is_guarded(shared: Server) -> None:
    """An unknown session is a 404, a page of another site a 403, another content type a 415, a huge body a 413."""
    send_spans(shared, a_span(1, 1, "s"))
    for method, path, body in (
        ("POST", "scores", {"name": "n", "value": 1}),
        ("POST", "annotations", {"text": "x"}),
        ("PATCH", "", {"name": "n"}),
    ):
        assert ask(shared, method, path_of("unknown", path), body).status == 404
        assert ask(shared, method, path_of("s", path), body, Origin="https://evil.example").status == 403
        assert ask(shared, method, path_of("s", path), body, Content_Type="text/plain").status == 415
        assert ask(shared, method, path_of("s", path), b'"' + b"x" * 300_000 + b'"').status == 413
    assert ask(shared, "GET", path_of("unknown", "scores")).status == 404
    assert ask(shared, "GET", path_of("unknown", "annotations")).status == 404
