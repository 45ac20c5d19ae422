"""`Compared`: the filters `a.<filter>` and `b.<filter>` of a comparison, each a set of all filters that a list has."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.dependencies.utils import get_dependant, solve_dependencies
from fastapi.exceptions import RequestValidationError

from otel_sessions.server.api.errors import ApiError
from otel_sessions.server.api.parameters import MAX_LENGTH, filters_of
from otel_sessions.server.api.prefixed_parameters import PrefixedParameters, prefixed_parameters
from otel_sessions.server.api.validation_messages import query_fields, shortened
from otel_sessions.server.queries.filters import SessionFilters

_FILTERS: Final = get_dependant(path="", call=filters_of)
_MOST: Final = 50


def _side(name: str) -> PrefixedParameters:
    return PrefixedParameters(
        name,
        description=(
            f"`{name}.<filter>=<value>`: the sessions of the cohort `{name}`, by any filter of this list, such as `{name}.environment`. "
            "Filters without a prefix hold for both."
        ),
        characters=r"\s\S",
        name_length=MAX_LENGTH,
        length=MAX_LENGTH,
        most=_MOST,
    )


A: Final = _side("a")
B: Final = _side("b")


async def compared_filters(
    request: Request, a: Annotated[dict[str, str], Depends(A)], b: Annotated[dict[str, str], Depends(B)]
) -> dict[str, SessionFilters]:
    """The filters of both cohorts, empty without a filter of either.

    Raises:
        ApiError: a name is no filter, or a value is invalid.
    """
    if not a and not b:
        return {}
    prefixes = (A.prefix, B.prefix)
    both = {
        name: value
        for name, value in request.query_params.items()
        if _is_filter(name) and not name.startswith(prefixes)
    }
    return {name: await _read(request, name, {**both, **given}) for name, given in (("a", a), ("b", b))}


Compared = Annotated[dict[str, SessionFilters], Depends(compared_filters)]


async def _read(request: Request, side: str, texts: dict[str, str]) -> SessionFilters:
    """Read filters as if they were the parameters of the request."""
    unknown = next((name for name in texts if not _is_filter(name)), None)
    if unknown is not None:
        raise ApiError(400, "unknown_parameter", f"unknown: {shortened(f'{side}.{unknown}')}; filters: {_known()}")
    scope = {**request.scope, "query_string": urlencode(texts).encode()}
    async with AsyncExitStack() as stack:
        solved = await solve_dependencies(
            request=Request(scope, request.receive),
            dependant=_FILTERS,
            async_exit_stack=stack,
            embed_body_fields=False,
        )
    if solved.errors:
        raise RequestValidationError(solved.errors)
    return await filters_of(**solved.values)


def _is_filter(name: str) -> bool:
    return name in _names() or any(
        name.startswith(one.prefix) and name != one.prefix for one in prefixed_parameters(_FILTERS)
    )


def _names() -> list[str]:
    return [field.alias for field in query_fields(_FILTERS)]


def _known() -> str:
    return ", ".join([*_names(), *(f"{one.prefix}<name>" for one in prefixed_parameters(_FILTERS))])
