"""The library's own client, as an agent has one, on a server of the tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import anyio
from mcp import Client, StdioServerParameters
from mcp_types import TextContent
from tests.processes import ROOT

SECONDS = 60.0
T = TypeVar("T")


class Heard(NamedTuple):
    """An answer, as the client got it."""

    text: str
    is_error: bool

    @property
    def told(self) -> Any:
        """The answer, read as JSON."""
        return json.loads(self.text)


class Agent:
    """An agent that calls tools through a client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def ask(self, tool: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> Heard:
        """The answer to a call."""
        result = await self.client.call_tool(tool, {**(arguments or {}), **more})
        (content,) = result.content
        assert isinstance(content, TextContent)
        assert result.structured_content is None
        return Heard(content.text, bool(result.is_error))

    async def follow(self, call: Mapping[str, Any]) -> Heard:
        """The answer to a call that an answer has told."""
        return await self.ask(call["tool"], call["arguments"])


def stdio(*options: str, **environment: str) -> StdioServerParameters:
    """`otel-sessions mcp` with these options, as an agent starts it."""
    arguments = ["-m", "otel_sessions", "mcp", *options]
    return StdioServerParameters(command=sys.executable, args=arguments, env=environment, cwd=ROOT)


def with_agent(server: Any, work: Callable[[Agent], Awaitable[T]], *, mode: str = "auto") -> T:
    """What `work` returns with an agent whose client is connected to a server, as `Client` takes it."""

    async def run() -> T:
        async with Client(server, mode=mode, read_timeout_seconds=SECONDS) as client:
            return await work(Agent(client))

    return anyio.run(run)


def calls_in(told: Any) -> Sequence[Mapping[str, Any]]:
    """All calls that an answer tells, wherever in it."""
    if isinstance(told, dict):
        if told.keys() == {"tool", "arguments"}:
            return [told]
        return [call for one in told.values() for call in calls_in(one)]
    if isinstance(told, list):
        return [call for one in told for call in calls_in(one)]
    return []
