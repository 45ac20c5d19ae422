"""`refusal`: the answer of a guard, in the format that the client of a path reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from otel_sessions.server.api.errors import error_response
from otel_sessions.server.api.session_paths import route_path
from otel_sessions.server.otlp.encodings import Format, format_of
from otel_sessions.server.otlp.errors import RequestError, UnsupportedContentTypeError
from otel_sessions.server.otlp.responses import error_response as otlp_error
from otel_sessions.server.signals import OTLP_PATHS

_STATUS_PATHS: Final = frozenset(OTLP_PATHS.values())
"""Where a refusal is a `google.rpc.Status` in the format of the request."""

_POLICY_VIOLATION: Final = 1008


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    code: str,
    error: RequestError,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer a request with an error instead of passing it on; a web socket is closed.

    Args:
        scope: of the request, as are `receive` and `send`.
        receive: see `scope`.
        send: see `scope`.
        code: a word for programs, where errors have one.
        error: its status and its message.
        headers: more headers of the answer.
    """
    if scope["type"] == "http":
        await _refusal(scope, code, error, headers or {})(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})


def _refusal(scope: Scope, code: str, error: RequestError, headers: Mapping[str, str]) -> Response:
    if route_path(scope) not in _STATUS_PATHS:
        return error_response(error.http_status, code, str(error), headers=headers)
    try:
        format_ = format_of(Headers(scope=scope).get("content-type"))
    except UnsupportedContentTypeError:
        format_ = Format.JSON
    return Response(otlp_error(error, format_), error.http_status, headers={**headers, "Content-Type": format_.value})
