"""Every error of the API in one shape, `{"error": {"code": "...", "message": "..."}}`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from otel_sessions.server.api.headers import SECURITY_HEADERS
from otel_sessions.server.api.validation_messages import expected_values, query_fields, shortened
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError
from otel_sessions.server.settling import UnsettledError

logger: Final = logging.getLogger("otel_sessions.server")

RETRY_SECONDS: Final = 5
"""`Retry-After` of every 503."""

_LONGEST_MESSAGE: Final = 1_000
_CODES: Final = {404: "not_found", 405: "method_not_allowed"}
_MESSAGES: Final = {404: "there is nothing at this path", 405: "this path does not take this method"}


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(
        description="A word for programs, which stays the same across versions.", examples=["unknown_parameter"]
    )
    message: str = Field(description="A sentence for people: what is wrong, and what to do about it.")


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorDetail = Field(description="The error.")


class ApiError(Exception):
    """An error that the API answers with.

    Attributes:
        status: the HTTP status.
        code: a word for programs.
        headers: additional HTTP headers.
    """

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


def invalid_parameter(name: str, value: str, expected: str) -> ApiError:
    """The error for a query parameter whose value is not one of the expected ones."""
    return ApiError(400, "invalid_parameter", f"{name}={shortened(value)}: expected {expected}")


def unavailable(code: str, message: str) -> ApiError:
    """The error for a request that the server cannot answer now; it says when to try again."""
    return ApiError(503, code, message, headers={"Retry-After": str(RETRY_SECONDS)})


def error_response(status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """The HTTP response for an error; a long message is cut."""
    body = ErrorBody(error=ErrorDetail(code=code, message=message[:_LONGEST_MESSAGE]))
    return Response(
        body.model_dump_json(), status, media_type="application/json", headers={**SECURITY_HEADERS, **(headers or {})}
    )


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors with these statuses, for the OpenAPI document."""
    return {status: {"model": ErrorBody, "description": _DESCRIPTIONS[status]} for status in statuses}


_DESCRIPTIONS: Final = {
    400: "A parameter is unknown, is given twice or has an invalid value. The message says what is accepted.",
    401: "The API key is missing or wrong.",
    403: "The request comes from a web page of another origin.",
    404: "There is no session with this key and id.",
    408: "The body came too slowly.",
    409: "Something else was added under the same id.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    421: "The server has no API key, and the `Host` is neither of this machine nor one of `--allowed-host`.",
    503: "The server cannot answer now. The `Retry-After` header says after how many seconds to try again.",
}


async def _api_error(_: Request, error: ApiError) -> Response:
    return error_response(error.status, error.code, str(error), headers=error.headers)


async def _http_error(request: Request, error: HTTPException) -> Response:
    status = error.status_code
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return error_response(
        status, _CODES.get(status, "refused"), _MESSAGES.get(status, str(error.detail)), headers=headers
    )


def _methods(request: Request) -> set[str]:
    """The methods of all routes at a path; the framework names only those of the first."""
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return methods


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    fields = {field.alias: field for field in (*query_fields(route.dependant), *route.dependant.path_params)}
    messages = (_message(one, fields[one["loc"][1]].field_info) for one in error.errors())
    return error_response(400, "invalid_parameter", "; ".join(messages))


def _message(error: Mapping[str, Any], info: FieldInfo) -> str:
    name = error["loc"][1]
    if error["type"] == "missing":
        return f"{name} is missing. {info.description}"
    return str(invalid_parameter(name, str(error["input"]), expected_values(info)))


async def _unsettled(request: Request, error: UnsettledError) -> Response:
    return await _api_error(request, unavailable("unsettled", str(error)))


async def _store_away(request: Request, error: StoreAwayError) -> Response:
    logger.warning("%s", error)
    return await _api_error(request, unavailable("store_away", str(error)))


async def _store_failed(request: Request, error: StoreError) -> Response:
    logger.error("%s %s failed", request.method, request.scope["path"], exc_info=error)
    return await _internal(request, error)


async def _internal(_: Request, __: Exception) -> Response:
    return error_response(500, "internal", "the server could not answer; its log says why")


HANDLERS: Final[Mapping[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]]] = {
    ApiError: _api_error,
    HTTPException: _http_error,
    RequestValidationError: _invalid,
    UnsettledError: _unsettled,
    StoreAwayError: _store_away,
    StoreError: _store_failed,
    Exception: _internal,
}
"""The answer to each kind of exception."""
