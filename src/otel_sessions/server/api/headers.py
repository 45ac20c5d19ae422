"""`SafeHeaders`: headers that keep browsers from guessing types and from keeping what they are shown."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otel_sessions.server.api.session_routes import route_path

_API: Final = "/v1/"


class SafeHeaders:
    """Middleware that adds `X-Content-Type-Options`, and `Cache-Control` to answers of the API."""

    def __init__(self, app: ASGIApp) -> None:
        """Add headers to what an app answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                if route_path(scope).startswith(_API):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
