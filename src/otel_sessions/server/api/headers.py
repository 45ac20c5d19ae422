"""Headers that keep browsers from guessing content types and from storing answers."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otel_sessions.server.api.session_paths import route_path

NO_SNIFFING: Final = {"X-Content-Type-Options": "nosniff"}
NO_STORING: Final = {"Cache-Control": "no-store"}
SECURITY_HEADERS: Final = {**NO_SNIFFING, **NO_STORING}
"""For errors, which may be answered outside the middleware."""

_API: Final = "/v1/"


class SafeHeaders:
    """Middleware that adds `NO_SNIFFING` to all answers, unless they set it, and `NO_STORING` to those of the API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add headers to its answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in NO_SNIFFING.items():
                    headers.setdefault(name, value)
                if route_path(scope).startswith(_API):
                    headers.update(NO_STORING)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
