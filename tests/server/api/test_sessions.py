"""Lists of sessions, one session, its traces and spans, and its deletion."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.server.api.sending import CALL, HOSTILE, SECOND, START, a_span, ids, message, path_of, send
from tests.server.otlp.building import AT

from otel_sessions.counting.measures import MEASURES
from otel_sessions.server.backend import Backend

HTML = "<img src=x onerror=alert(1)> '; DROP TABLE x; -- 漢字 \u202e"


@pytest.fixture(scope="module")
def client(client: TestClient, backend: Backend) -> TestClient:
    """A client of an app with a few sessions."""
    for number, session in enumerate(["s1", "s2", "s3"], 1):
        attributes = {
            **CALL,
            "gen_ai.response.model": f"model-{number}",
            "gen_ai.usage.cost": number / 10,
            "gen_ai.usage.input_tokens": 100 * number,
            "session.name": f"Name {number}",
            "user.id": f"user-{number}",
            "session.tags": [f"tag-{number}"],
            "session.metadata.plan": f"plan-{number}",
            "session.metadata.n": number,
            "session.key.ticket": f"t{number}",
        }
        send(
            backend,
            a_span(
                number,
                session=session,
                attributes=attributes,
                start_time_unix_nano=AT + number * 100 * SECOND,
                end_time_unix_nano=AT + number * 101 * SECOND,
                status={"code": 2 if number == 2 else 1},
            ),
            resource={"service.name": f"service-{number}", "deployment.environment.name": f"env-{number}"},
        )
    return client


def test_a_session_has_all_its_fields(client: TestClient, backend: Backend) -> None:
    """A session in a list is the library's rollup, in its order, and nothing else."""
    found = client.get("/v1/sessions", params={"q": "s2"}).json()
    rollup = backend.reader.session("s2")
    assert rollup is not None
    assert found == {
        "data": [rollup.to_dict()],
        "pagination": {"total": 1, "limit": 50, "offset": 0, "next": None},
    }
    assert found["data"][0]["total_cost"] == "0.2"
    assert found["data"][0]["metadata"] == {"n": 2, "plan": "plan-2"}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["s3", "s2", "s1"]),
        ({"order": "asc"}, ["s1", "s2", "s3"]),
        ({"sort": "cost", "order": "asc"}, ["s1", "s2", "s3"]),
        ({"limit": 1, "offset": 1}, ["s2"]),
        ({"key": "ticket"}, ["t3", "t2", "t1"]),
        ({"key": "none"}, []),
        ({"q": "NAME 3"}, ["s3"]),
        ({"name": "Name 1"}, ["s1"]),
        ({"name": "name 1"}, []),
        ({"user_id": "user-1"}, ["s1"]),
        ({"userId": "user-2"}, ["s2"]),
        ({"environment": "env-3"}, ["s3"]),
        ({"service": "service-3"}, ["s3"]),
        ({"tag": "tag-1"}, ["s1"]),
        ({"model": "model-2"}, ["s2"]),
        ({"metadata.plan": "plan-3"}, ["s3"]),
        ({"metadata.n": "2"}, ["s2"]),
        ({"metadata.n": "2", "metadata.plan": "plan-3"}, []),
        ({"failed": "true"}, ["s2"]),
        ({"failed": "false"}, ["s3", "s1"]),
        ({"status": "failed"}, ["s2"]),
        ({"status": "ok"}, ["s3", "s1"]),
        ({"unpriced": "true"}, []),
        ({"unpriced": "false"}, ["s3", "s2", "s1"]),
        ({"min_cost": "0.2"}, ["s3", "s2"]),
        ({"min_cost": "0.20000000000000000000000000000000000001"}, ["s3"]),
        ({"since": "2026-11-18T11:10:02Z"}, ["s3", "s2"]),
        ({"since": "2026-11-18T11:10:02.000000001Z"}, ["s3"]),
        ({"until": "2026-11-18T11:10:00Z"}, ["s1"]),
        ({"until": "2026-11-18T11:10:00.000000001Z"}, ["s2", "s1"]),
        ({"since": "2026-11-18", "until": "2026-11-19"}, ["s3", "s2", "s1"]),
        (
            {"q": "", "name": "", "user_id": "", "userId": "", "since": "", "min_cost": "", "cursor": ""},
            ["s3", "s2", "s1"],
        ),
    ],
)
def test_filters_and_order(client: TestClient, parameters: dict[str, Any], expected: list[str]) -> None:
    """Each parameter filters or sorts as described; an empty one is no condition; since is inclusive, until exclusive."""
    assert ids(client, **parameters) == expected


@pytest.mark.parametrize("sort", list(MEASURES))
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_cursors_lead_through_the_list(client: TestClient, sort: str, order: str) -> None:
    """Each session comes once on the pages of a list, whatever it is sorted by."""
    whole = ids(client, sort=sort, order=order)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/v1/sessions", params={"sort": sort, "order": order, "limit": 1, "cursor": cursor}).json()
        found += [one["id"] for one in page["data"]]
        cursor = page["pagination"]["next"]
        assert page["pagination"]["total"] == 3
    assert found == whole
    assert sorted(found) == ["s1", "s2", "s3"]


def test_a_cursor_belongs_to_its_list(client: TestClient) -> None:
    """A cursor is refused with other filters, another order or for another list; another limit is accepted."""
    cursor = client.get("/v1/sessions", params={"limit": 1}).json()["pagination"]["next"]
    for other in ({"sort": "cost"}, {"order": "asc"}, {"tag": "tag-1"}, {"metadata.n": "1"}):
        answer = client.get("/v1/sessions", params={"cursor": cursor, **other})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "cursor_of_other_list")
    assert "another list" in message(client, "/v1/keys", cursor=cursor)
    assert ids(client, cursor=cursor, limit=10) == ["s2", "s1"]
    assert ids(client, cursor=cursor, offset=1) == ["s1"]


def test_one_session(client: TestClient, backend: Backend) -> None:
    """One session comes with the first page of its traces."""
    found = client.get(path_of("t2"), params={"key": "ticket"}).json()["data"]
    rollup = backend.reader.session("t2", key="ticket")
    assert rollup is not None
    traces = found.pop("traces")
    assert found == rollup.to_dict()
    assert traces == client.get(path_of("t2", "traces"), params={"key": "ticket"}).json()
    (trace,) = traces["data"]
    assert trace["trace_id"] == f"{2:032x}"
    assert trace["start"] == "2026-11-18T11:10:00.000Z"
    assert (trace["status"], trace["duration_ms"], trace["name"]) == ("error", 2000.0, "Name 2")
    assert (trace["input_tokens"], trace["total_cost"], trace["metadata"]) == (200, "0.2", {"n": 2, "plan": "plan-2"})
    assert trace["models"] == found["models"]
    assert "s1" in message(client, path_of("s1"), 404, key="ticket")


def test_traces_and_spans_are_paged(client: TestClient, backend: Backend) -> None:
    """Traces and spans are paged by offset and by cursor, with their total on every page."""
    for number in range(5):
        spans = [
            a_span(1000 + number, 1 + index, "long", start_time_unix_nano=AT + number * SECOND + index)
            for index in range(2)
        ]
        send(backend, *spans)
    for subresource, count, name in (("traces", 5, "trace_id"), ("spans", 10, "trace_id")):
        whole = client.get(path_of("long", subresource)).json()
        assert whole["pagination"]["total"] == count
        found: list[Any] = []
        cursor = None
        while True:
            parameters = {"limit": 3, **({"cursor": cursor} if cursor else {})}
            page = client.get(path_of("long", subresource), params=parameters).json()
            assert page["pagination"]["total"] == count
            assert page["pagination"]["offset"] == len(found)
            found += page["data"]
            cursor = page["pagination"]["next"]
            if cursor is None:
                break
        assert found == whole["data"]
        assert sorted(one[name] for one in found) == [one[name] for one in found]
        by_offset = client.get(path_of("long", subresource), params={"limit": 2, "offset": 3}).json()
        assert by_offset["data"] == whole["data"][3:5]
        behind = client.get(path_of("long", subresource), params={"offset": 99}).json()
        assert (behind["data"], behind["pagination"]["total"], behind["pagination"]["next"]) == ([], count, None)
        assert "none" in message(client, path_of("none", subresource), 404)
    assert client.delete(path_of("long")).json()["data"] == {
        "id": "long",
        "key": "id",
        "span_count": 10,
        "trace_count": 5,
        "log_record_count": 0,
        "message_count": 0,
    }


def test_a_page_of_large_spans_ends_early(client: TestClient, backend: Backend) -> None:
    """The page after one that ends early begins with the span that did not fit."""
    for number in (1, 2, 3):
        send(backend, a_span(2000 + number, session="large", attributes={"text": str(number) * 9_000_000}))
    found: list[str] = []
    cursor: str | None = None
    while len(found) < 3:
        page = client.get(path_of("large", "spans"), params={"cursor": cursor} if cursor else {}).json()
        assert (len(page["data"]), page["pagination"]["offset"]) == (1, len(found))
        found += [span["attributes"]["text"][0] for span in page["data"]]
        cursor = page["pagination"]["next"]
    assert (found, cursor) == (["1", "2", "3"], None)


def test_deletion_is_idempotent(client: TestClient, backend: Backend) -> None:
    """Deleting an unknown session succeeds with counts of 0, and deleted spans can be sent again."""
    send(backend, a_span(77, session="gone"))
    taken = {"id": "gone", "key": "id", "span_count": 1, "trace_count": 1, "log_record_count": 0, "message_count": 0}
    nothing = {**taken, "span_count": 0, "trace_count": 0}
    assert client.delete(path_of("gone")).json() == {"data": taken}
    assert client.get(path_of("gone")).status_code == 404
    assert client.delete(path_of("gone")).json() == {"data": nothing}
    assert client.delete(path_of("never")).json()["data"]["span_count"] == 0
    send(backend, a_span(77, session="gone"))
    assert client.delete(path_of("gone")).json() == {"data": taken}


@pytest.mark.parametrize("session", [one for one in HOSTILE if one != ".."])
def test_hostile_ids_are_found_by_their_path(client: TestClient, backend: Backend, session: str) -> None:
    """Slashes, question marks, quotes and names of sub-resources in an id do not change what a path means."""
    send(backend, a_span(88, 5, session=session))
    assert client.get(path_of(session)).json()["data"]["id"] == session
    for subresource in ("traces", "spans"):
        (found,) = client.get(path_of(session, subresource)).json()["data"]
        assert found["trace_id"] == f"{88:032x}"
    assert client.delete(path_of(session)).json()["data"]["span_count"] == 1
    assert client.get(path_of(session)).status_code == 404


def test_hostile_text_comes_back_as_it_is(client: TestClient, backend: Backend) -> None:
    """HTML and SQL in any field come back as text."""
    attributes = {
        "session.id": "hostile",
        "session.name": HTML,
        "session.tags": [HTML],
        "session.metadata.m": HTML,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": HTML,
        "gen_ai.response.model": HTML,
        HTML: HTML,
    }
    send(
        backend,
        a_span(555, attributes=attributes, name=HTML, status={"code": 2, "message": HTML}, trace_state=HTML),
        resource={"service.name": HTML, "deployment.environment.name": HTML},
    )
    session = client.get("/v1/sessions/hostile").json()["data"]
    assert session["name"] == HTML
    for name in ("tags", "services", "environments", "operations"):
        assert session[name] == [HTML]
    assert session["metadata"] == {"m": HTML}
    assert session["models"][0]["model"] == HTML
    (span,) = client.get("/v1/sessions/hostile/spans").json()["data"]
    assert span["attributes"] == attributes
    assert (span["name"], span["status"]["message"], span["trace_state"]) == (HTML, HTML, HTML)
    assert span["resource"]["service_name"] == HTML
    for name in ("name", "tag", "service", "environment", "model", "metadata.m"):
        assert ids(client, **{name: HTML}) == ["hostile"], name
    (cohort,) = client.get("/v1/cohorts", params={"by": "metadata.m", "q": HTML}).json()["data"]
    assert cohort["value"] == HTML
    client.delete("/v1/sessions/hostile")


ANYTHING = st.binary(min_size=1, max_size=40) | st.text(st.characters(), min_size=1, max_size=20).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
"""Any bytes that a URL can encode, also invalid text: lone surrogates, half characters, control characters."""


@given(session=ANYTHING, subresource=st.sampled_from(["", "/traces", "/spans"]), key=ANYTHING)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_anything_can_be_an_id(client: TestClient, session: bytes, subresource: str, key: bytes) -> None:
    """A request for any id and key is answered; an unknown session is a 404."""
    assume(session not in (b".", b".."))
    answer = client.get(f"/v1/sessions/{quote(session, safe='')}{subresource}?key={quote(key, safe='')}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("there is no session with ")


@given(
    name=st.sampled_from(["q", "name", "user_id", "tag", "since", "until", "min_cost", "cursor", "limit", "sort"])
    | st.just("metadata.m"),
    value=ANYTHING | st.floats().map(str) | st.integers().map(str),
)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_parameter_breaks_anything(client: TestClient, name: str, value: bytes | str) -> None:
    """Any value of a parameter is either accepted or refused with a 400."""
    assert client.get(f"/v1/sessions?{name}={quote(value, safe='')}").status_code in (200, 400)


def test_what_was_acknowledged_is_seen(client: TestClient, backend: Backend) -> None:
    """A session is found right after its spans were acknowledged."""
    send(backend, a_span(99, session="now"))
    assert client.get("/v1/sessions/now").json()["data"]["start"] == START
    client.delete("/v1/sessions/now")
