"""`McpEndpoint`: `/mcp`, the tools for agents over streamable HTTP, without sessions of its clients.

Nothing is kept between requests, so nothing has to be bounded or ended: each request is one call, and its answer one JSON object. The
`mcp` library is imported by the first request, since that takes a second and many megabytes that most servers never need.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlencode

from anyio import TASK_STATUS_IGNORED, Lock, create_task_group, from_thread, sleep_forever, to_thread
from anyio.abc import TaskGroup, TaskStatus
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from otel_sessions.mcp.asking import AskError, MissingError
from otel_sessions.server.api.errors import RETRY_SECONDS, error_response

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

logger: Final = logging.getLogger("otel_sessions.server")

PATH: Final = "/mcp"
LARGEST_BODY: Final = 1 << 20
"""Bytes of a request; arguments of tools are short."""

_PASSED_ON: Final = frozenset({b"host", b"authorization"})
"""Headers that the questions of a call have from its request."""


class McpEndpoint:
    """An ASGI app for one path. It works while `running` is entered."""

    def __init__(self) -> None:
        self._tasks: TaskGroup | None = None
        self._manager: StreamableHTTPSessionManager | None = None
        self._starting = Lock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer requests within this block; those under way at its end are given up."""
        async with create_task_group() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = self._manager = None
                tasks.cancel_scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["method"] != "POST":
            # There are no streams to open and no sessions to end.
            message = (
                "this endpoint takes POST of the Model Context Protocol; what to set in a client is in docs/mcp.md"
            )
            await error_response(405, "method_not_allowed", message, headers={"Allow": "POST"})(scope, receive, send)
            return
        try:
            manager = await self._started()
        except ModuleNotFoundError as error:
            message = (
                f"{error.name} is not installed; run: pip install 'otel-sessions[mcp]', and start the server again"
            )
            await error_response(501, "not_installed", message)(scope, receive, send)
            return
        if manager is None:
            message = "the server is starting or stopping; try again later"
            headers = {"Retry-After": str(RETRY_SECONDS)}
            await error_response(503, "not_running", message, headers=headers)(scope, receive, send)
            return
        await manager.handle_request(scope, receive, send)

    async def _started(self) -> StreamableHTTPSessionManager | None:
        """The manager of the library, started by the first request; `None` if the server does not run."""
        async with self._starting:
            if self._manager is None and self._tasks is not None:
                made = await to_thread.run_sync(_manager)
                await self._tasks.start(_run, made)
                self._manager = made
            return self._manager


def mcp_route(endpoint: McpEndpoint) -> Route:
    """The route of the endpoint."""
    return Route(PATH, endpoint)


async def _run(manager: StreamableHTTPSessionManager, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
    async with manager.run():
        task_status.started()
        await sleep_forever()


def _manager() -> StreamableHTTPSessionManager:
    """The library's manager of requests.

    Raises:
        ModuleNotFoundError: the library is not installed.
    """
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager  # noqa: PLC0415 - an optional extra

    from otel_sessions.mcp.protocol import protocol_server  # noqa: PLC0415

    server = protocol_server(lambda context: AppAsk(context.request))
    # `Host`, `Origin` and the API key are checked in front of every route of the server, also of this one.
    return StreamableHTTPSessionManager(server, json_response=True, stateless=True, max_request_body_size=LARGEST_BODY)


class AppAsk:
    """Asks the REST API of the app that got a request, as that request: with its credentials, through all guards, without a socket."""

    def __init__(self, request: Request | None) -> None:
        """Ask as a request. Questions are asked on threads that the event loop of the request started."""
        assert request is not None
        self._scope = request.scope
        self._host = request.headers.get("host")

    @property
    def pages(self) -> str | None:
        """The address that the request used."""
        root = str(self._scope.get("root_path", "")).rstrip("/")
        return self._host and f"{self._scope['scheme']}://{self._host}{root}"

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer; raises as `Ask` says."""
        status, body = from_thread.run(self._answer, path, urlencode(parameters or {}).encode())
        answer = json.loads(body)
        if status == 200:
            return answer
        message = answer["error"]["message"]
        raise (MissingError if status == 404 else AskError)(message)

    async def _answer(self, path: str, query: bytes) -> tuple[int, bytes]:
        root = str(self._scope.get("root_path", "")).rstrip("/")
        scope = {
            "type": "http",
            "asgi": self._scope["asgi"],
            "http_version": "1.1",
            "method": "GET",
            "scheme": self._scope["scheme"],
            "path": root + unquote(path),
            "raw_path": root.encode() + path.encode(),
            "query_string": query,
            "root_path": root,
            "headers": [(name, value) for name, value in self._scope["headers"] if name in _PASSED_ON],
            "client": self._scope.get("client"),
            "server": self._scope.get("server"),
        }
        starts: list[int] = []
        body = bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                starts.append(message["status"])
            else:
                body.extend(message.get("body", b""))

        try:
            await self._scope["app"](scope, receive, send)
        except Exception:
            # The app has answered 500 before it passes an unexpected exception on.
            if not body:
                raise
            logger.exception("%s failed", path[:200])
        return starts[0], bytes(body)
