"""`protocol_server` answers the library's own client, in this process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pytest
from tests.mcp.agents import Agent, with_agent
from tests.mcp.asks import NOW, PAGES, Double

from otel_sessions.mcp.catalog import INSTRUCTIONS, TOOLS
from otel_sessions.mcp.parameters import schema_of
from otel_sessions.mcp.protocol import FAILED, NAME, protocol_server
from otel_sessions.timestamps import DAY_NS, format_time

NO_SESSIONS = {"data": [], "pagination": {"total": 0, "limit": 50, "offset": 0, "next": None}}
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@MODES
def test_a_client_is_told_what_there_is(mode: str) -> None:
    """A client of any version gets the name, the instructions, and the tools with their schemas, which change nothing."""

    async def work(agent: Agent) -> None:
        assert agent.client.instructions == INSTRUCTIONS
        assert agent.client.server_info is not None
        assert (agent.client.server_info.name, agent.client.server_info.version) == (NAME, version("otel-sessions"))
        tools = (await agent.client.list_tools()).tools
        assert [tool.name for tool in tools] == list(TOOLS)
        for tool in tools:
            assert (tool.title, tool.description) == (TOOLS[tool.name].title, TOOLS[tool.name].about)
            assert tool.input_schema == schema_of(TOOLS[tool.name].parameters)
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
            assert tool.annotations.destructive_hint is False

    with_agent(protocol_server(lambda _: Double(lambda *_: NO_SESSIONS)), work, mode=mode)


@MODES
def test_a_call_asks_at_the_time_of_the_clock(mode: str) -> None:
    """A call gets the answer of its tool, for which `today` begins as the clock of the server says."""
    asked: list[tuple[str, Mapping[str, str]]] = []

    def answers(path: str, parameters: Mapping[str, str]) -> Any:
        asked.append((path, parameters))
        return NO_SESSIONS

    async def work(agent: Agent) -> None:
        heard = await agent.ask("list_sessions", since="today")
        assert not heard.is_error
        assert (heard.told["total"], heard.told["sessions"], heard.told["link"]) == (0, [], f"{PAGES}/")

    with_agent(protocol_server(lambda _: Double(answers), clock=lambda: NOW), work, mode=mode)
    path, parameters = asked[0]
    assert path == "/v1/sessions"
    assert format_time(NOW - NOW % DAY_NS) in parameters.values()


def test_wrong_calls_are_told_in_answers() -> None:
    """A tool that does not exist, and an argument that is missing, are errors that say what there is."""

    async def work(agent: Agent) -> None:
        heard = await agent.ask("drop_table", name="sessions")
        assert heard.is_error
        assert heard.told["error"] == f"there is no tool 'drop_table'; there are {', '.join(TOOLS)}"
        heard = await agent.ask("get_session")
        assert heard.is_error
        assert "id is missing" in heard.told["error"]

    with_agent(protocol_server(lambda _: Double(lambda *_: None)), work)


def test_a_tool_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected exception goes to the log; its call is answered with an error, and the next one as ever."""
    failing = [RuntimeError("a secret of the server")]

    def answers(*_: Any) -> Any:
        if failing:
            raise failing.pop()
        return NO_SESSIONS

    async def work(agent: Agent) -> None:
        heard = await agent.ask("list_sessions")
        assert (heard.text, heard.is_error) == FAILED
        assert "log" in json.loads(heard.text)["error"]
        assert (await agent.ask("list_sessions")).told["total"] == 0

    with_agent(protocol_server(lambda _: Double(answers)), work)
    (logged,) = [record for record in caplog.records if record.name == "otel_sessions.mcp"]
    assert logged.getMessage() == "the tool 'list_sessions' failed"
    assert logged.exc_info is not None
    assert str(logged.exc_info[1]) == "a secret of the server"
