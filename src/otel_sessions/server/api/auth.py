"""`ApiKeyGuard`: rejects requests without the API key."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from otel_sessions.server.api.errors import error_response
from otel_sessions.server.api.health import OPEN_PATHS
from otel_sessions.server.api.session_paths import route_path
from otel_sessions.server.api_key import WRONG_KEY, allows
from otel_sessions.server.otlp.encodings import Format, format_of
from otel_sessions.server.otlp.errors import UnauthenticatedError, UnsupportedContentTypeError
from otel_sessions.server.otlp.responses import error_response as otlp_error
from otel_sessions.server.signals import OTLP_PATHS

_STATUS_PATHS: Final = frozenset(OTLP_PATHS.values())
"""Where a refusal is a `google.rpc.Status` in the format of the request."""

_POLICY_VIOLATION: Final = 1008


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
        elif scope["type"] == "http":
            await _rejection(scope)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})

    def _may_pass(self, scope: Scope) -> bool:
        return route_path(scope) in OPEN_PATHS or allows(self._api_key, Headers(scope=scope).get("authorization"))


def _rejection(scope: Scope) -> Response:
    headers = {"WWW-Authenticate": "Bearer"}
    if route_path(scope) not in _STATUS_PATHS:
        return error_response(401, "unauthorized", WRONG_KEY, headers=headers)
    try:
        format_ = format_of(Headers(scope=scope).get("content-type"))
    except UnsupportedContentTypeError:
        format_ = Format.JSON
    body = otlp_error(UnauthenticatedError(WRONG_KEY), format_)
    return Response(body, 401, headers={**headers, "Content-Type": format_.value})
