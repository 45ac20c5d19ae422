"""`ApiKeyGuard`: rejects requests without the API key."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from otel_sessions.server.api.health import OPEN_PATHS
from otel_sessions.server.api.refusals import refuse
from otel_sessions.server.api.session_paths import route_path
from otel_sessions.server.api_key import WRONG_KEY, allows
from otel_sessions.server.otlp.errors import UnauthenticatedError


class ApiKeyGuard:
    """Middleware that passes on requests with the API key, and health checks; it rejects all others."""

    def __init__(self, app: ASGIApp, *, api_key: str | None) -> None:
        """Guard an app.

        Args:
            app: where accepted requests go.
            api_key: `None` accepts every request.
        """
        self._app = app
        self._api_key = api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it."""
        if scope["type"] == "lifespan" or self._may_pass(scope):
            await self._app(scope, receive, send)
        else:
            error = UnauthenticatedError(WRONG_KEY)
            await refuse(scope, receive, send, code="unauthorized", error=error, headers={"WWW-Authenticate": "Bearer"})

    def _may_pass(self, scope: Scope) -> bool:
        return route_path(scope) in OPEN_PATHS or allows(self._api_key, Headers(scope=scope).get("authorization"))
