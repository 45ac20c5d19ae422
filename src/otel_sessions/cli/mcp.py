"""`otel-sessions mcp`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from otel_sessions.cli.client import DEFAULT_URL, Client, NotFoundError
from otel_sessions.cli.errors import CommandError, ending
from otel_sessions.cli.server_options import FolderOption, UrlOption, asking
from otel_sessions.environment_variables import URL
from otel_sessions.mcp.asking import Ask, AskError, MissingError


def mcp(*, url: UrlOption = None, store: FolderOption = None) -> None:
    """Answer an agent's questions about sessions: a server of the Model Context Protocol on stdin and stdout.

    An agent starts it; docs/mcp.md says what to set. It has five tools, which change nothing: list_sessions, get_session, get_messages,
    get_payload and search. Without a running server it starts too, and its answers say how to start one.
    """
    with ending(), asking(url, store) as client:
        has_pages = client.url == (url or os.environ.get(URL) or DEFAULT_URL).rstrip("/")
        _serve(ClientAsk(client, has_pages=has_pages))


def _serve(ask: Ask) -> None:
    try:
        import anyio  # noqa: PLC0415 - needs an optional extra, and is slow to import
        from mcp.server.stdio import stdio_server  # noqa: PLC0415

        from otel_sessions.mcp.protocol import protocol_server  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("otel_sessions"):
            raise
        raise CommandError(f"{error.name} is not installed; run: pip install 'otel-sessions[mcp,server]'") from None

    server = protocol_server(lambda _: ask)

    async def run() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    try:
        anyio.run(run)
    except KeyboardInterrupt:
        sys.exit(0)


class ClientAsk:
    """Asks a running server with the client of the commands."""

    def __init__(self, client: Client, *, has_pages: bool = True) -> None:
        """Ask through a client.

        Args:
            client: of a server.
            has_pages: whether a person can open the pages of that server.
        """
        self._client = client
        self._has_pages = has_pages

    @property
    def pages(self) -> str | None:
        """The address of the server; `None` for a folder, whose app only this process can ask."""
        return self._client.url if self._has_pages else None

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer; raises as `Ask` says."""
        try:
            return self._client.get(path, parameters)
        except NotFoundError as error:
            raise MissingError(str(error)) from None
        except CommandError as error:
            raise AskError(str(error)) from None
