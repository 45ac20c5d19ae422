"""`/mcp` of a server answers the library's own client, behind the guards of all other routes."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.testclient import TestClient
from tests.mcp import worst
from tests.mcp.agents import Agent, calls_in, with_agent
from tests.server.api.doubles import backend_with
from tests.server.running import Server, post

from otel_sessions.mcp.answers import BUDGET, LARGEST_BUDGET, SMALLEST_BUDGET
from otel_sessions.server.api import mcp
from otel_sessions.server.api.app import create_app

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with the worst session."""
    with Server(tmp_path_factory.mktemp("worst")) as server:
        for request in worst.requests():
            assert post(f"{server.url}/v1/traces", request) == 200
        yield server


def status_of(url: str, *, method: str = "POST", **headers: str) -> tuple[int, Any]:
    """The status and the body of the answer to the beginning of the protocol."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(INITIALIZE).encode() if method == "POST" else None
    request = urllib.request.Request(f"{url}/mcp", body, {**HEADERS, **named}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_worst_session(server: Server) -> None:
    """Of 100,000 spans, some with values of 1 MB, every tool answers within its budget, and finds the one that failed."""
    trace, span = worst.trace_id(worst.FAILED).hex(), worst.span_id(worst.FAILED).hex()
    large = f"span:{worst.trace_id(worst.EVERY_LARGE).hex()}/{worst.span_id(worst.EVERY_LARGE).hex()}"

    async def within(agent: Agent, tool: str, budget: int = BUDGET, **arguments: Any) -> Any:
        heard = await agent.ask(tool, budget=budget, **arguments)
        assert not heard.is_error, heard.text
        assert len(heard.text) <= budget
        return heard.told

    async def work(agent: Agent) -> None:
        told = await within(agent, "get_session", id=worst.SESSION)
        assert told["session"]["span_count"] == worst.SPANS
        (failed,) = told["failed_steps"]
        assert failed["id"] == f"span:{trace}/{span}"
        assert failed["error"]["length"] == len(worst.MESSAGE)
        assert (await agent.follow(failed["error"]["read"])).told["value"] == worst.MESSAGE
        assert {tool["name"]: tool["count"] for tool in told["tools"]} == {"grep": 60_000, "read_file": 30_000}
        slow = await within(
            agent, "get_session", id=worst.SESSION, part="steps", sort="duration", order="desc", limit=1
        )
        assert slow["steps"][0]["id"].endswith(worst.span_id(worst.SLOWEST).hex())
        assert slow["next"]["arguments"]["offset"] == 1
        asked = await within(agent, "get_messages", id=worst.SESSION, role="user", limit=3)
        cut = asked["messages"][0]["parts"][0]["content"]
        assert calls_in(cut)
        for budget in (SMALLEST_BUDGET, BUDGET, LARGEST_BUDGET):
            await within(agent, "get_session", budget, id=large)
        whole = await within(
            agent, "get_payload", LARGEST_BUDGET, id=large, field="attributes.gen_ai.output.messages", offset=900_000
        )
        assert whole["length"] > worst.LARGE
        assert whole["value"].startswith("y" * 50_000)
        found = await within(agent, "search", query=f"{worst.EVERY_LARGE} ü", id=worst.SESSION)
        assert found["found"][0]["excerpt"]

    with_agent(f"{server.url}/mcp", work)


def test_clients_of_older_versions(server: Server) -> None:
    """A client that begins with a handshake is answered too, without a session that the server would have to keep."""

    async def work(agent: Agent) -> None:
        told = (await agent.ask("list_sessions")).told
        assert told["link"] == f"{server.url}/"
        assert told["sessions"][0]["span_count"] == worst.SPANS

    with_agent(f"{server.url}/mcp", work, mode="legacy")


def test_what_a_page_of_another_site_sends_is_refused(server: Server) -> None:
    """A foreign `Origin` gets 403 and a foreign `Host` 421, as on every route; the same from a program is answered."""
    assert status_of(server.url)[0] == 200
    assert status_of(server.url, Origin="https://evil.example")[0] == 403
    assert status_of(server.url, Host="evil.example")[0] == 421


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_only_post(server: Server, method: str) -> None:
    """There is no stream to open and no session to end."""
    status, body = status_of(server.url, method=method)
    assert (status, body["error"]["code"]) == (405, "method_not_allowed")


def test_the_server_ends_cleanly(server: Server) -> None:
    """After all of this a signal ends it with status 0, and its log tells of no failure."""
    status, _, log = server.stop()
    assert status == 0
    assert "Traceback" not in log


def test_with_an_api_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without the key nothing is answered; with it, the questions of a call have it as well."""
    with Server(tmp_path_factory.mktemp("key"), "--api-key", "secret") as server:
        assert status_of(server.url)[0] == 401

        async def work() -> Any:
            headers = {"Authorization": "Bearer secret"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=60) as http,
                Client(streamable_http_client(f"{server.url}/mcp", http_client=http)) as client,
            ):
                return (await Agent(client).ask("list_sessions")).told

        told = anyio.run(work)
    assert (told["total"], told["sessions"]) == (0, [])
    assert "No session" in told["notes"][0]


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without the library answers 501 and says what to install."""

    def missing() -> None:
        raise ModuleNotFoundError("No module named 'mcp'", name="mcp")

    monkeypatch.setattr(mcp, "_manager", missing)
    with TestClient(create_app(backend_with(None))) as client:
        answer = client.post("/mcp", json=INITIALIZE)
    assert answer.status_code == 501
    assert "pip install 'otel-sessions[mcp]'" in answer.json()["error"]["message"]


def test_before_the_app_has_started() -> None:
    """Nothing is answered before the app runs."""
    answer = TestClient(create_app(backend_with(None))).post("/mcp", json=INITIALIZE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_running")
