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

from otel_sessions.server.api.validation_messages import expected, query_fields, shortened
from otel_sessions.server.backend import UnsettledError
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError

logger: Final = logging.getLogger("otel_sessions.server")

RETRY_SECONDS: Final = 5
SECURITY_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

_LONGEST_MESSAGE: Final = 1_000
_CODES: Final = {404: "not_found", 405: "method_not_allowed"}
_MESSAGES: Final = {404: "there is nothing at this path", 405: "this path does not take this method"}


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="One word for programs.", examples=["unknown_parameter"])
    message: str = Field(description="What to do about it, for people.")


class ErrorBody(BaseModel):
    """The body of every answer that is no success."""

    error: ErrorDetail


class ApiError(Exception):
    """An answer that is no success.

    Attributes:
        status: of the HTTP answer.
        code: one word for programs.
        headers: of the HTTP answer.
    """

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


def bad_parameter(name: str, value: str, wanted: str) -> ApiError:
    """The error for a query parameter that has another value than is wanted."""
    return ApiError(400, "invalid_parameter", f"{name}={shortened(value)}: expected {wanted}")


def error_answer(status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for an error."""
    body = ErrorBody(error=ErrorDetail(code=code, message=message[:_LONGEST_MESSAGE]))
    return Response(
        body.model_dump_json(), status, media_type="application/json", headers={**SECURITY_HEADERS, **(headers or {})}
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These errors as the OpenAPI document says them."""
    return {status: {"model": ErrorBody, "description": _ABOUT[status]} for status in statuses}


_ABOUT: Final = {
    400: "A parameter is unknown, given twice or out of its range; the message says what is known.",
    401: "The API key is missing or wrong.",
    404: "There is no such session.",
    503: "The server cannot answer now; `Retry-After` says when to try again.",
}


async def _api_error(_: Request, error: ApiError) -> Response:
    return error_answer(error.status, error.code, str(error), headers=error.headers)


async def _http_error(request: Request, error: HTTPException) -> Response:
    status = error.status_code
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return error_answer(
        status, _CODES.get(status, "refused"), _MESSAGES.get(status, str(error.detail)), headers=headers
    )


def _methods(request: Request) -> set[str]:
    """The methods of all routes at a path; the framework names those of the first."""
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return methods


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    fields = {field.alias: field for field in query_fields(route.dependant)}
    messages = (_complaint(one, fields[one["loc"][1]].field_info) for one in error.errors())
    return error_answer(400, "invalid_parameter", "; ".join(messages))


def _complaint(error: Mapping[str, Any], info: FieldInfo) -> str:
    name = error["loc"][1]
    if error["type"] == "missing":
        return f"{name} is missing. {info.description}"
    return str(bad_parameter(name, str(error["input"]), expected(info)))


async def _unsettled(_: Request, error: UnsettledError) -> Response:
    return error_answer(503, "unsettled", str(error), headers={"Retry-After": str(RETRY_SECONDS)})


async def _store_away(_: Request, error: StoreAwayError) -> Response:
    logger.warning("%s", error)
    return error_answer(503, "store_away", str(error), headers={"Retry-After": str(RETRY_SECONDS)})


async def _store_failed(request: Request, error: StoreError) -> Response:
    logger.error("%s %s failed", request.method, request.scope["path"], exc_info=error)
    return await _internal(request, error)


async def _internal(_: Request, __: Exception) -> Response:
    return error_answer(500, "internal", "the server could not answer; its log says why")


HANDLERS: Final[Mapping[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]]] = {
    ApiError: _api_error,
    HTTPException: _http_error,
    RequestValidationError: _invalid,
    UnsettledError: _unsettled,
    StoreAwayError: _store_away,
    StoreError: _store_failed,
    Exception: _internal,
}
"""What answers to which exception."""
