"""`Endpoint`, `SessionEndpoint`: routes that accept the query parameters they know, each once, and name all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from otel_sessions.server.api.errors import ApiError
from otel_sessions.server.api.prefixed_parameters import prefixed_parameters
from otel_sessions.server.api.session_paths import SESSION, session_path
from otel_sessions.server.api.validation_messages import query_fields, shortened

_NAMES_SHOWN: Final = 5
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_JSON: Final = "application/json"


class Endpoint(APIRoute):
    """A route of the API. A query parameter that it does not know, or that is given twice, is an error.

    What is sent to it is JSON and says so: forms and scripts of other sites can send some content types without asking, but
    not this one.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the framework, behind a check of the content type and of the names of the query parameters."""
        handle = super().get_route_handler()
        names = [field.alias for field in query_fields(self.dependant)]
        prefixes = [parameters.prefix for parameters in prefixed_parameters(self.dependant)]

        async def checked(request: Request) -> Response:
            if request.method in _WITH_BODY:
                _check_content_type(request.headers.get("content-type", ""))
            _check([name for name, _ in request.query_params.multi_items()], names, prefixes)
            return await handle(request)

        return checked


class SessionEndpoint(Endpoint):
    """A route whose path is `SESSION`, alone or followed by one of `SUBRESOURCES`, and maybe by the number of an item."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Compare the session path of a request with the path of this route."""
        path = session_path(scope) if scope["type"] == "http" else None
        if path is None:
            return Match.NONE, {}
        subresource, _, item = self.path.removeprefix(SESSION).lstrip("/").partition("/")
        if path.subresource != subresource or bool(path.item) != bool(item):
            return Match.NONE, {}
        named = {item.strip("{}"): path.item} if item else {}
        found: dict[str, Any] = {
            "endpoint": self.endpoint,
            "path_params": {"session_id": path.session_id, **named},
            "route": self,
        }
        return (Match.FULL if scope["method"] in (self.methods or ()) else Match.PARTIAL), found


def answer(body: BaseModel) -> Response:
    """An answer, serialized by the thread that made it, so that a long one does not block the event loop."""
    return Response(body.model_dump_json(), media_type="application/json")


def _check_content_type(content_type: str) -> None:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != _JSON:
        raise ApiError(415, "unsupported_content_type", f"content type {shortened(media_type)}: {_JSON} expected")


def _check(given: Sequence[str], names: Sequence[str], prefixes: Sequence[str]) -> None:
    def is_known(name: str) -> bool:
        return name in names or any(name.startswith(prefix) and name != prefix for prefix in prefixes)

    unknown = list(dict.fromkeys(shortened(name) for name in given if not is_known(name)))
    if unknown:
        known = ", ".join([*names, *(f"{prefix}<name>" for prefix in prefixes)]) or "none"
        raise ApiError(
            400, "unknown_parameter", f"unknown: {', '.join(unknown[:_NAMES_SHOWN])}; parameters here: {known}"
        )
    repeated = [shortened(name) for name, count in Counter(given).items() if count > 1]
    if repeated:
        raise ApiError(400, "repeated_parameter", f"given more than once: {', '.join(repeated[:_NAMES_SHOWN])}")
