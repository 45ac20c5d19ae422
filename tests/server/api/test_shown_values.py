"""An answer is bounded, whatever names and values were sent; what is cut says how long it was and can be named in a filter."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.api.sending import CALL, a_span, ids, path_of, send
from tests.server.otlp.building import key_values

from otel_sessions.server.api.large_answers import LARGE_BYTES
from otel_sessions.server.api.shown_values import LONGEST_VALUE
from otel_sessions.server.backend import Backend
from otel_sessions.server.queries.spans import PAGE_BYTES

LONG = 2 << 20
LISTS = [
    "/v1/sessions",
    "/v1/sessions/long",
    "/v1/sessions/long/traces",
    "/v1/cohorts?by=service",
    "/v1/cohorts?by=environment",
    "/v1/cohorts?by=model",
    "/v1/keys",
    "/healthz",
    "/metrics",
]


def long(letter: str) -> str:
    """A text of 2 MB."""
    return letter * LONG


@pytest.fixture(scope="module")
def client(client: TestClient, backend: Backend) -> TestClient:
    """A client of an app with a session of one span whose names are all long, and one whose names differ at the end."""
    event = {"name": long("e"), "time_unix_nano": 1, "attributes": key_values({long("k"): "v"})}
    link = {"trace_id": bytes(15) + b"\1", "span_id": bytes(7) + b"\1", "trace_state": long("t")}
    resource = {"service.name": long("s"), "deployment.environment.name": long("d")}
    models = {**CALL, "gen_ai.response.model": long("m"), "gen_ai.provider.name": long("p")}
    span = a_span(1, session="long", name=long("n"), attributes=models, events=[event], links=[link])
    send(backend, {**span, "trace_state": long("t")}, resource=resource)
    send(backend, a_span(2, session="other", name="n" * 500), resource={"service.name": "s" * (LONG + 1)})
    return client


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_bounded(client: TestClient, path: str) -> None:
    """No name of 2 MB makes an answer large."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert len(answer.content) < 50_000


def test_a_name_that_is_cut_says_how_long_it_was(client: TestClient) -> None:
    """The beginning of a name is shown, and its length; numbers are exact."""
    session = client.get(path_of("long")).json()["data"]
    (operation,), (service,), (environment,) = session["operations"], session["services"], session["environments"]
    for name, letter in ((operation, "n"), (service, "s"), (environment, "d")):
        assert name == letter * 978 + "… (2097152 characters)"
    assert (session["span_count"], session["input_tokens"], session["output_tokens"]) == (1, 100, 7)
    assert client.get(path_of("other")).json()["data"]["operations"] == ["n" * 500]


def test_a_name_that_is_cut_can_be_filtered_by(client: TestClient) -> None:
    """What is shown is what a filter takes; names of different lengths are different."""
    names = [session["services"][0] for session in client.get("/v1/sessions").json()["data"]]
    assert sorted(ids(client, service=name)[0] for name in names) == ["long", "other"]
    assert [len(ids(client, service=name)) for name in names] == [1, 1]
    environment = client.get(path_of("long")).json()["data"]["environments"][0]
    assert ids(client, environment=environment) == ["long"]
    assert ids(client, service="s" * 978) == []
    cohorts = client.get("/v1/cohorts", params={"by": "service"}).json()["data"]
    assert {cohort["value"] for cohort in cohorts} == {*names}


def test_spans_are_bounded(client: TestClient) -> None:
    """Names of a span are cut as in lists, values later."""
    answer = client.get(path_of("long", "spans"))
    assert len(answer.content) < 3 * LONGEST_VALUE * 2
    (span,) = answer.json()["data"]
    mark = "… (2097152 characters)"
    assert span["name"] == client.get(path_of("long")).json()["data"]["operations"][0]
    for text in (
        span["resource"]["service_name"],
        span["trace_state"],
        span["events"][0]["name"],
        next(iter(span["events"][0]["attributes"])),
        span["links"][0]["trace_state"],
    ):
        assert (len(text), text[-len(mark) :]) == (1_000, mark)
    model = span["attributes"]["gen_ai.response.model"]
    assert (len(model), model[:3], model[-len(mark) :]) == (LONGEST_VALUE, "mmm", mark)
    assert span["attributes"]["gen_ai.usage.input_tokens"] == 100


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * LONGEST_VALUE, "x" * LONGEST_VALUE),
        (["a", 1, None], ["a", 1, None]),
        (["y" * LONGEST_VALUE], '["' + "y" * (LONGEST_VALUE - 24) + "… (1048580 characters)"),
    ],
    ids=["as long as can be", "an array", "a long array"],
)
def test_values_up_to_a_length_are_whole(client: TestClient, backend: Backend, value: Any, shown: Any) -> None:
    """A value keeps its type as long as it is shown whole, else it is the beginning of its text."""
    session = f"value-{len(str(value))}"
    send(backend, a_span(len(str(value)), session=session, attributes={"value": value}))
    (span,) = client.get(path_of(session, "spans")).json()["data"]
    assert span["attributes"]["value"] == shown


def test_many_long_values_are_cut_to_a_page(client: TestClient, backend: Backend) -> None:
    """A span with more values than a page has room for shows less of each, so that the page has its size."""
    send(backend, a_span(7, session="many", attributes={f"value-{n}": "z" * 100_000 for n in range(400)}))
    answer = client.get(path_of("many", "spans"))
    assert LARGE_BYTES < len(answer.content) < PAGE_BYTES + LARGE_BYTES
    (span,) = answer.json()["data"]
    assert len(span["attributes"]) == 401
    assert span["attributes"]["value-7"].endswith("zz… (100000 characters)")
    assert span["attributes"]["session.id"] == "many"
