"""The OpenAPI document, and the routes that it describes; `python -m otel_sessions.server.api.openapi` prints it."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any, Final

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from otel_sessions.server.api import (
    cohorts,
    export,
    given,
    given_records,
    health,
    histogram,
    keys,
    live,
    logs,
    messages,
    prices,
    query,
    sessions,
    steps,
    traces,
    unassigned,
)
from otel_sessions.server.api.prefixed_parameters import prefixed_parameters

ROUTERS: Final[tuple[APIRouter, ...]] = (
    sessions.lists,
    sessions.single,
    logs.router,
    steps.router,
    given.router,
    messages.router,
    traces.router,
    keys.router,
    unassigned.router,
    cohorts.router,
    histogram.router,
    prices.router,
    query.router,
    export.router,
    given_records.router,
    live.router,
    health.router,
)

VERSION: Final = "1"

_ABOUT: Final = """\
Sessions tie the traces of one conversation, ticket or import together.

Times are RFC 3339 in UTC with up to nine decimals, money is a decimal string in USD, and what is unknown is null. An answer
includes everything that was acknowledged before the request. Unknown parameters are errors.
"""
_SECURITY: Final = "apiKey"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of the API."""
    document = get_openapi(title="otel-sessions", version=VERSION, description=_ABOUT, routes=API_ROUTES)
    for route in API_ROUTES:
        assert isinstance(route, APIRoute)
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            # The framework's own answer to invalid parameters; ours is 400.
            operation["responses"].pop("422", None)
            for parameters in prefixed_parameters(route.dependant):
                operation["parameters"].append(parameters.openapi())
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["components"]["securitySchemes"] = {
        _SECURITY: {"type": "http", "scheme": "bearer", "description": "Needed if the server was started with a key."}
    }
    document["security"] = [{_SECURITY: []}, {}]
    return document


def printed() -> str:
    """The document as it is kept in `docs/openapi.json`."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


async def _served(_: Request) -> Response:
    return Response(json.dumps(document(), ensure_ascii=False), media_type="application/json")


API_ROUTES: Final[tuple[BaseRoute, ...]] = tuple(route for router in ROUTERS for route in router.routes)
ROUTES: Final[tuple[BaseRoute, ...]] = (*API_ROUTES, Route("/openapi.json", _served))


if __name__ == "__main__":
    sys.stdout.write(printed())
