"""`otel-sessions mcp` in this process, with streams in memory for stdin and stdout."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from anyio import create_task_group
from mcp import Client
from mcp.server import stdio
from mcp.shared.memory import MessageStream, create_client_server_memory_streams
from tests.cli.answering import Answer, Answering, Asked, error, page
from tests.mcp.agents import Agent
from typer.testing import CliRunner, Result

from otel_sessions.cli import mcp as command
from otel_sessions.cli.app import app
from otel_sessions.cli.client import Client as RestClient
from otel_sessions.cli.mcp import ClientAsk
from otel_sessions.mcp.asking import AskError, MissingError
from otel_sessions.mcp.catalog import INSTRUCTIONS, TOOLS

Work = Callable[[Agent], Awaitable[None]]


def refused(asked: Asked) -> Answer:
    """A server without sessions, which has nothing under other paths."""
    return page([]) if asked.path == "/v1/sessions" else error(404, f"nothing is at {asked.path}", "not_found")


def with_agent(monkeypatch: pytest.MonkeyPatch, work: Work, *options: str) -> Result:
    """How the command ended, after the agent that started it did its work and closed its streams."""

    @asynccontextmanager
    async def transport(streams: MessageStream) -> AsyncIterator[MessageStream]:
        yield streams
        await streams[1].aclose()

    async def agent(streams: MessageStream) -> None:
        async with Client(transport(streams), read_timeout_seconds=60) as client:
            await work(Agent(client))

    @asynccontextmanager
    async def memory() -> AsyncIterator[MessageStream]:
        async with create_client_server_memory_streams() as (theirs, ours), create_task_group() as tasks:
            tasks.start_soon(agent, theirs)
            yield ours

    monkeypatch.setattr(stdio, "stdio_server", memory)
    return CliRunner().invoke(app, ["mcp", *options])


def test_an_agent_asks_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tools ask the server of `--url`, link to its pages, and end with status 0 when the agent is gone."""
    done: list[str] = []
    with Answering(refused) as server:

        async def work(agent: Agent) -> None:
            assert agent.client.instructions == INSTRUCTIONS
            assert [tool.name for tool in (await agent.client.list_tools()).tools] == list(TOOLS)
            told = (await agent.ask("list_sessions")).told
            assert (told["total"], told["link"]) == (0, f"{server.url}/")
            done.append("list_sessions")

        result = with_agent(monkeypatch, work, "--url", f"{server.url}/")
    assert done == ["list_sessions"], result.exception
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert {asked.path for asked in server.asked} >= {"/v1/sessions"}


def test_a_folder_has_no_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder, whose address only the command can ask, answers have no links."""
    done: list[str] = []
    with Answering(refused) as server:

        @contextmanager
        def asking(url: str | None, store: str | None) -> Iterator[RestClient]:
            assert (url, store) == (None, "folder")
            yield RestClient(server.url)

        async def work(agent: Agent) -> None:
            told = (await agent.ask("list_sessions")).told
            assert "link" not in told
            done.append("list_sessions")

        monkeypatch.setattr(command, "asking", asking)
        result = with_agent(monkeypatch, work, "--store", "folder")
    assert done == ["list_sessions"], result.exception
    assert result.exit_code == 0


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the command fails and says what to install."""
    monkeypatch.setitem(sys.modules, "mcp.server.stdio", None)
    result = CliRunner().invoke(app, ["mcp", "--url", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "is not installed; run: pip install 'otel-sessions[mcp,server]'" in result.stderr


def test_a_part_of_the_product_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the product itself that cannot be imported is not taken for a missing extra."""
    monkeypatch.setitem(sys.modules, "otel_sessions.mcp.protocol", None)
    result = CliRunner().invoke(app, ["mcp", "--url", "http://127.0.0.1:9"])
    assert isinstance(result.exception, ModuleNotFoundError)
    assert result.exception.name == "otel_sessions.mcp.protocol"


def test_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, with which agents end their servers, is no failure."""

    def interrupted() -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(stdio, "stdio_server", interrupted)
    result = CliRunner().invoke(app, ["mcp", "--url", "http://127.0.0.1:9"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_answers_of_a_client() -> None:
    """What a server does not have is missing, any other error is told in its words, and answers are passed on."""

    def answer(asked: Asked) -> Answer:
        return error(400, "the sort is wrong") if asked.parameters else refused(asked)

    with Answering(answer) as server:
        ask = ClientAsk(RestClient(server.url))
        assert ask.pages == server.url
        assert ask.get("/v1/sessions")["data"] == []
        with pytest.raises(MissingError, match="nothing is at /v1/x"):
            ask.get("/v1/x")
        with pytest.raises(AskError, match="the sort is wrong") as refusal:
            ask.get("/v1/sessions", {"sort": "beauty"})
    assert not isinstance(refusal.value, MissingError)
    assert ClientAsk(RestClient(server.url), has_pages=False).pages is None
