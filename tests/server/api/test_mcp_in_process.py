"""`/mcp` of an app in this process answers JSON-RPC, and asks the API of the same app."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from anyio import to_thread
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from tests.server.api.doubles import backend_with
from tests.server.conversing import key_values, turns

from otel_sessions.mcp.catalog import INSTRUCTIONS, TOOLS
from otel_sessions.server.api.app import create_app
from otel_sessions.server.api.mcp import LARGEST_BODY, AppAsk
from otel_sessions.server.backend import Backend
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.signals import TRACES

ACCEPT = {"Accept": "application/json, text/event-stream"}
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
ODD = "a/b ?#%&=+:@"
"""The id of a session that a path has to quote."""


def running(backend: Backend, *, root_path: str = "", is_raising: bool = True, **more: Any) -> TestClient:
    """A client of an app, which gets requests as servers give them: the client of Starlette leaves `asgi` out."""
    app = create_app(backend, **more)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "asgi": {"version": "3.0"}}, receive, send)

    return TestClient(served, root_path=root_path, raise_server_exceptions=is_raising)


@pytest.fixture(scope="module")
def client(backend: Backend) -> Iterator[TestClient]:
    """A client of a running app with two sessions."""
    scopes = [{"spans": [*turns("cat", 2, about="cats"), *turns(ODD, 1)]}]
    resource = {"attributes": key_values({"service.name": "app"})}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}
    backend.receive(TRACES, json.dumps(body).encode(), Format.JSON)
    backend.settle()
    with running(backend) as client:
        yield client


def result_of(client: TestClient, method: str, parameters: Any = None, **headers: str) -> Any:
    """The result of a request of the protocol."""
    request = {"jsonrpc": "2.0", "id": 7, "method": method, "params": parameters or {}}
    answer = client.post("/mcp", json=request, headers={**ACCEPT, **headers})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json"), answer.text
    assert "Mcp-Session-Id" not in answer.headers
    told = answer.json()
    assert told["id"] == 7
    return told["result"]


def heard(client: TestClient, tool: str, *, is_error: bool = False, **arguments: Any) -> Any:
    """The answer of a tool, read as JSON."""
    result = result_of(client, "tools/call", {"name": tool, "arguments": arguments})
    assert result.get("isError", False) is is_error, result
    return json.loads(result["content"][0]["text"])


def test_the_beginning(client: TestClient) -> None:
    """The handshake tells what the tools are for, and starts no session."""
    result = result_of(client, "initialize", HELLO)
    assert result["instructions"] == INSTRUCTIONS
    assert result["serverInfo"]["name"] == "otel-sessions"


def test_tools_are_listed(client: TestClient) -> None:
    """All tools are there, without a handshake before."""
    assert [tool["name"] for tool in result_of(client, "tools/list")["tools"]] == list(TOOLS)


def test_calls_ask_the_same_app(client: TestClient) -> None:
    """A call reads what the app's backend has, and links to the address that its request used."""
    told = heard(client, "list_sessions", sort="created", order="asc")
    assert {session["id"] for session in told["sessions"]} == {"session:cat", f"session:{ODD}"}
    assert told["link"] == "http://testserver/"
    told = heard(client, "get_session", id="cat")
    assert (told["session"]["trace_count"], told["link"]) == (2, "http://testserver/sessions/cat")


def test_an_id_that_has_to_be_quoted(client: TestClient) -> None:
    """A session whose id has a slash, a question mark and a percent sign is found as any other."""
    told = heard(client, "get_session", id=ODD)
    assert (told["session"]["id"], told["session"]["trace_count"]) == (f"session:{ODD}", 1)


def test_what_is_missing_or_refused(client: TestClient) -> None:
    """What the API answers with 404 or another error is an error of the tool, with what is near."""
    told = heard(client, "get_session", is_error=True, id="ca")
    assert "there is no session 'ca'" in told["error"]
    assert told["next"][0] == {"tool": "get_session", "arguments": {"id": "session:cat"}}
    assert "sort='beauty'" in heard(client, "list_sessions", is_error=True, sort="beauty")["error"]


def test_only_post(client: TestClient) -> None:
    """Every other method gets 405, which says what is allowed."""
    for method in ("GET", "DELETE", "PUT"):
        answer = client.request(method, "/mcp", headers=ACCEPT)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert answer.json()["error"]["code"] == "method_not_allowed"


def test_a_large_request(client: TestClient) -> None:
    """A body beyond the limit is refused."""
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": "x" * LARGEST_BODY}}
    assert client.post("/mcp", json=request, headers=ACCEPT).status_code == 413


def test_behind_a_proxy_with_a_prefix(backend: Backend, client: TestClient) -> None:
    """An app under a root path is asked under it, and links have it."""
    assert heard(client, "get_session", id="cat")["total"] == 2
    with running(backend, root_path="/base") as prefixed:
        assert heard(prefixed, "get_session", id="cat")["link"] == "http://testserver/base/sessions/cat"


def test_the_key_of_a_request_is_that_of_its_questions(backend: Backend) -> None:
    """With an API key, a call with it is answered, and one without it gets 401."""
    with running(backend, api_key="secret") as client:
        assert client.post("/mcp", json={}, headers=ACCEPT).status_code == 401
        parameters = {"name": "list_sessions", "arguments": {}}
        result = result_of(client, "tools/call", parameters, Authorization="Bearer secret")
    assert not result.get("isError", False)


def test_after_the_app_has_stopped() -> None:
    """When the app has stopped, a request gets 503 and when to try again; it works when the app runs again."""
    client = running(backend_with(None))
    for _ in range(2):
        with client:
            assert result_of(client, "tools/list")["tools"]
        answer = client.post("/mcp", json={}, headers=ACCEPT)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_running")
        assert int(answer.headers["Retry-After"]) > 0


def test_an_api_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """A defect behind the API is logged, and its call is told that the server failed, without the defect's own words."""
    with running(backend_with(RuntimeError("a secret")), is_raising=False) as client:
        told = heard(client, "list_sessions", is_error=True)
    assert "secret" not in json.dumps(told)
    logged = [record for record in caplog.records if record.name == "otel_sessions.server"]
    assert any(record.levelno == logging.ERROR and "/v1/" in record.getMessage() for record in logged)


def test_an_app_that_fails_without_an_answer() -> None:
    """An exception of an app that has answered nothing is passed on."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["more_body"] is False
        raise RuntimeError(scope["path"])

    scope = {"type": "http", "asgi": {}, "scheme": "http", "headers": [], "app": app}
    ask = AppAsk(Request(scope))
    assert ask.pages is None

    async def work() -> None:
        await to_thread.run_sync(ask.get, "/v1/sessions/a%2Fb")

    with pytest.raises(RuntimeError, match=r"^/v1/sessions/a/b$"):
        anyio.run(work)
