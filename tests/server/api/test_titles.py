"""Title, first input and last output of sessions, status and prices, as the API has them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.api.sending import CALL, SECOND, a_span, ids, message, path_of, send
from tests.server.otlp.building import AT, key_values

from otel_sessions.server.backend import Backend
from otel_sessions.server.projections.rebuild import rebuild


def told(role: str, *texts: str) -> str:
    """Messages as OpenTelemetry's conventions have them."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]} for text in texts])


def said(input_: str, output: str) -> dict[str, Any]:
    """The attributes of a call with these messages."""
    return {**CALL, "gen_ai.input.messages": told("user", input_), "gen_ai.output.messages": told("assistant", output)}


def words(client: TestClient, session: str) -> tuple[Any, ...]:
    """Title, first input and last output of a session, the same in a list and alone."""
    one = client.get(path_of(session)).json()["data"]
    (listed,) = client.get("/v1/sessions", params={"q": session}).json()["data"]
    fields = ("title", "first_input", "last_output")
    assert [one[name] for name in fields] == [listed[name] for name in fields]
    return tuple(one[name] for name in fields)


def test_a_late_span_decides(client: TestClient, backend: Backend) -> None:
    """The words are those of the first and the last call, in whatever order they come; a name that is given later is the title."""
    second = {"start_time_unix_nano": AT + SECOND, "end_time_unix_nano": AT + 2 * SECOND, "name": "chat"}
    send(backend, a_span(1, 2, "s-late", attributes=said("Where is it?", "On its way."), **second))
    assert words(client, "s-late") == ("Where is it?", "Where is it?", "On its way.")
    first = {"start_time_unix_nano": AT, "end_time_unix_nano": AT + SECOND, "name": "work"}
    send(backend, a_span(1, 1, "s-late", attributes=said("Hello", "Hi"), **first))
    assert words(client, "s-late") == ("Hello", "Hello", "On its way.")
    send(backend, a_span(2, 1, "s-late", attributes={"vscode.agent_host.session.title": "Find an order"}))
    assert words(client, "s-late")[0] == "Find an order"
    assert client.get(path_of("s-late")).json()["data"]["name"] is None
    send(backend, a_span(3, 1, "s-late", attributes={"session.name": "Order #1"}))
    assert words(client, "s-late") == ("Order #1", "Hello", "On its way.")


def test_without_content(client: TestClient, backend: Backend) -> None:
    """Unknown words are null, and the title is the name of the first operation."""
    send(backend, a_span(7, 1, "s-plain", name="answer", attributes=CALL))
    assert words(client, "s-plain") == ("answer", None, None)


def test_words_are_cut_and_cannot_break_a_request(client: TestClient, backend: Backend) -> None:
    """Long words are cut to 300 characters; halves of characters, which JSON can have, refuse no request."""
    send(backend, a_span(8, 1, "s-long", attributes=said("\ud800 x " * 5_000, "y" * 5_000)))
    _, first, last = words(client, "s-long")
    assert (len(first), len(last)) == (300, 300)


def test_a_rebuild_has_the_same_words(client: TestClient, backend: Backend) -> None:
    """What was read from requests is read again from stored rows, events of spans included."""
    event = {"name": "gen_ai.other", "attributes": key_values({"n": 1, "kind": "x"})}
    send(backend, a_span(9, 1, "s-again", attributes=said("Why?", "Because."), events=[event]))
    before = words(client, "s-again")
    rebuild(backend.store)
    assert words(client, "s-again") == before == ("Why?", "Why?", "Because.")


def test_status_and_prices(client: TestClient, backend: Backend) -> None:
    """A session runs for a minute; later the last trace decides. What has no price is found."""
    now = time.time_ns()
    recent = {"start_time_unix_nano": now - SECOND, "end_time_unix_nano": now}
    send(backend, a_span(20, 1, "s-now", status={"code": 2}, **recent))
    unknown = {**CALL, "gen_ai.response.model": "no-such-model"}
    old = {"start_time_unix_nano": AT, "end_time_unix_nano": AT + SECOND}
    send(backend, a_span(21, 1, "s-part", status={"code": 2}, **old))
    later = {"start_time_unix_nano": AT + SECOND, "end_time_unix_nano": AT + 9 * SECOND}
    send(backend, a_span(22, 1, "s-part", attributes=unknown, **later))
    assert ids(client, status="running") == ["s-now"]
    assert ids(client, status="partly_failed") == ["s-part"]
    assert client.get(path_of("s-now")).json()["data"]["status"] == "running"
    assert client.get(path_of("s-part")).json()["data"]["status"] == "partly_failed"
    assert (ids(client, unpriced="true", q="s-part"), ids(client, unpriced="true", q="s-now")) == (["s-part"], [])
    assert (ids(client, unpriced="false", q="s-part"), ids(client, unpriced="false", q="s-now")) == ([], ["s-now"])


@pytest.mark.parametrize("status", ["error", "FAILED"])
def test_an_unknown_status_is_refused(client: TestClient, status: str) -> None:
    """The message lists the known ones."""
    assert "partly_failed" in message(client, "/v1/sessions", status=status)
