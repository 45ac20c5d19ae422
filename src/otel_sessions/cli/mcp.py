"""`otel-sessions mcp`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from otel_sessions.cli.client import Client, NotFoundError
from otel_sessions.cli.errors import CommandError, ending
from otel_sessions.cli.server_options import UrlOption, client_of
from otel_sessions.mcp.asking import AskError, MissingError


def mcp(*, url: UrlOption = None) -> None:
    """Answer an agent's questions about sessions: a server of the Model Context Protocol on stdin and stdout.

    An agent starts it; what to set is in docs/mcp.md. It has five tools, which change nothing: list_sessions, get_session, get_messages,
    get_payload and search. It starts without a running server, and says in its answers that there is none.
    """
    with ending():
        client = client_of(url)
        _serve(client)


def _serve(client: Client) -> None:
    try:
        import anyio  # noqa: PLC0415 - needs an optional extra, and is slow to import
        from mcp.server.stdio import stdio_server  # noqa: PLC0415

        from otel_sessions.mcp.protocol import protocol_server  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("otel_sessions"):
            raise
        raise CommandError(f"{error.name} is not installed; run: pip install 'otel-sessions[mcp,server]'") from None

    asking = ClientAsk(client)
    server = protocol_server(lambda _: asking)

    async def run() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    try:
        anyio.run(run)
    except KeyboardInterrupt:
        sys.exit(0)


class ClientAsk:
    """Asks a running server with the client of the commands."""

    def __init__(self, client: Client) -> None:
        """Ask through a client."""
        self._client = client

    @property
    def pages(self) -> str | None:
        """The address of the server."""
        return self._client.url

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer; raises as `Ask` says."""
        try:
            return self._client.get(path, parameters)
        except NotFoundError as error:
            raise MissingError(str(error)) from None
        except CommandError as error:
            raise AskError(str(error)) from None
