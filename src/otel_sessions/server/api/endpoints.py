"""`Endpoint`: a route that takes the query parameters it knows, each once, and says so about others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response

from otel_sessions.server.api.errors import ApiError
from otel_sessions.server.api.validation_messages import query_fields, shortened
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store

_NAMES_SAID: Final = 5


class Endpoint(APIRoute):
    """A route of the API.

    A parameter that `openapi_extra` describes as an object stands for all names that begin with its own and a dot.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind a check of the names of the query parameters."""
        handle = super().get_route_handler()
        names = [field.alias for field in query_fields(self.dependant)]
        prefixes = [f"{parameter['name']}." for parameter in (self.openapi_extra or {}).get("parameters", ())]

        async def checked(request: Request) -> Response:
            _check([name for name, _ in request.query_params.multi_items()], names, prefixes)
            backend: Backend = request.app.state.backend
            with backend.answering():
                return await handle(request)

        return checked


def reading(backend: Backend) -> Store:
    """The store, once all that was acknowledged so far is counted in it.

    Raises:
        UnsettledError: if that takes too long.
    """
    backend.settle_groups()
    return backend.store


def reading_spans(backend: Backend) -> Store:
    """The store, once all that was acknowledged so far is in it.

    Raises:
        UnsettledError: if that takes too long.
    """
    backend.settle()
    return backend.store


def listing(backend: Backend) -> Store:
    """The same, for what is read of many sessions at once.

    Raises:
        UnsettledError: if that takes too long.
        StoreError: if the store cannot do it.
    """
    backend.settle_lists()
    return backend.store


async def backend_of(request: Request) -> Backend:
    """The backend that an app works on."""
    backend: Backend = request.app.state.backend
    return backend


def answer(body: BaseModel) -> Response:
    """An answer, serialized by the thread that made it, so that a long one keeps no other waiting."""
    return Response(body.model_dump_json(), media_type="application/json")


def _check(given: list[str], names: list[str], prefixes: list[str]) -> None:
    def known(name: str) -> bool:
        return name in names or any(name.startswith(prefix) and name != prefix for prefix in prefixes)

    unknown = list(dict.fromkeys(shortened(name) for name in given if not known(name)))
    if unknown:
        there_are = ", ".join([*names, *(f"{prefix}<name>" for prefix in prefixes)]) or "none"
        raise ApiError(
            400, "unknown_parameter", f"unknown: {', '.join(unknown[:_NAMES_SAID])}; parameters here: {there_are}"
        )
    repeated = [shortened(name) for name, count in Counter(given).items() if count > 1]
    if repeated:
        raise ApiError(400, "repeated_parameter", f"given more than once: {', '.join(repeated[:_NAMES_SAID])}")
