"""`protocol_server`: the tools as a server of the official `mcp` library, for any of its transports."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import version
from time import time_ns
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ToolOfProtocol

from otel_sessions.mcp.asking import Ask
from otel_sessions.mcp.catalog import INSTRUCTIONS, TOOLS, Told, answer
from otel_sessions.mcp.parameters import schema_of

AT_ONCE: Final = 4
"""How many calls are answered at once; others wait without a thread."""

NAME: Final = "otel-sessions"

FAILED: Final = Told('{"error": "the tool failed; the log of the program that runs it says why"}', is_error=True)

logger: Final = logging.getLogger("otel_sessions.mcp")


def protocol_server(
    ask_of: Callable[[ServerRequestContext[Any, Any]], Ask], *, clock: Callable[[], int] = time_ns
) -> Server[Any]:
    """A server with the tools.

    Args:
        ask_of: which server a call asks. Tools run on threads.
        clock: the time in nanoseconds UTC.
    """
    limiter = CapacityLimiter(AT_ONCE)

    async def list_tools(_: Any, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=_tools())

    async def call_tool(context: ServerRequestContext[Any, Any], params: CallToolRequestParams) -> CallToolResult:
        ask = ask_of(context)

        def answered() -> Told:
            try:
                return answer(ask, params.name, params.arguments or {}, now=clock())
            except Exception:
                logger.exception("the tool %r failed", params.name[:80])
                return FAILED

        told = await to_thread.run_sync(answered, limiter=limiter, abandon_on_cancel=True)
        return CallToolResult(content=[TextContent(type="text", text=told.text)], is_error=told.is_error)

    server: Server[Any] = Server(
        NAME,
        version=version("otel-sessions"),
        title="Sessions for OpenTelemetry",
        instructions=INSTRUCTIONS,
        get_tool_input_schema=lambda name: schema_of(TOOLS[name].parameters) if name in TOOLS else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    # What agents ask about sessions is not itself a session of theirs.
    server.middleware.clear()
    return server


def _tools() -> list[ToolOfProtocol]:
    return [
        ToolOfProtocol(
            name=tool.name,
            title=tool.title,
            description=tool.about,
            input_schema=schema_of(tool.parameters),
            annotations=ToolAnnotations(
                title=tool.title,
                read_only_hint=True,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=False,
            ),
        )
        for tool in TOOLS.values()
    ]
