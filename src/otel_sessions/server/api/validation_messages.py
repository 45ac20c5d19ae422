"""The values that query parameters accept, in words, for the messages about other values."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Final, Literal, Protocol, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from fastapi.dependencies.models import Dependant
from pydantic.fields import FieldInfo

_SHOWN: Final = 80


class QueryField(Protocol):
    """A query parameter, as the framework describes it."""

    @property
    def alias(self) -> str:
        """Its name."""
        ...

    field_info: FieldInfo


def expected_values(info: FieldInfo) -> str:
    """The values that a parameter accepts, such as `an integer from 1 to 1000`."""
    kind = _kind(info.annotation)
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if kind is bool:
        return "true or false"
    limits = {type(limit): limit for limit in info.metadata}
    if kind is int:
        return f"an integer from {limits[Ge].ge} to {limits[Le].le}"
    most = limits[MaxLen].max_length
    return (
        f"text of {limits[MinLen].min_length} to {most} characters"
        if MinLen in limits
        else f"text of at most {most} characters"
    )


def query_fields(dependant: Dependant) -> Iterator[QueryField]:
    """The query parameters of an endpoint and of its dependencies."""
    yield from dependant.query_params
    for one in dependant.dependencies:
        yield from query_fields(one)


def shortened(value: str) -> str:
    """A value as messages quote it."""
    return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")


def _kind(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (one for one in get_args(annotation) if one is not NoneType)
    return annotation
