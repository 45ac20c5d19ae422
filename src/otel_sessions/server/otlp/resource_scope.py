"""Where spans and log records come from: resource and instrumentation scope, read once for all records that share them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-untyped]

from otel_sessions.resource import SERVICE_NAME, read_resource
from otel_sessions.server.otlp.attributes import Attributes, read_attributes
from otel_sessions.server.otlp.errors import MalformedError
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.messages import SignalMessages, messages, parse
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.values import text_of


class Resource(NamedTuple):
    """A resource, and what is looked up in its attributes.

    Attributes:
        service_name: the text of `service.name`, empty without one; for the column of this name.
        service: `service.name` if it is a string.
        environment: `deployment.environment.name`, or the older `deployment.environment`, if it is a string.
        session_id: `session.id` if it is a string.
    """

    attributes: Attributes
    dropped_attributes: int
    schema_url: str
    service_name: str
    service: str | None
    environment: str | None
    session_id: str | None


class Scope(NamedTuple):
    """An instrumentation scope."""

    name: str
    version: str
    attributes: Attributes
    dropped_attributes: int
    schema_url: str


def each_scope(
    request: Any, known: SignalMessages, budget: RecordBudget, rejected: Rejected
) -> Iterator[tuple[Resource, Scope, Sequence[bytes]]]:
    """Resource, scope and serialized records of each scope in a request.

    What cannot be read is left out alone, with a warning: an attribute of a resource or a scope, a resource, a scope, or a
    group whose records cannot be found.

    Args:
        request: a `known.request`.
        known: the messages of its signal.
        budget: counts resources, scopes and records, and the attributes of resources and scopes.
        rejected: gets the warnings.

    Raises:
        TooLargeError: the budget is spent.
    """
    raw_groups = getattr(request, known.resource_groups)
    budget.spend_records(len(raw_groups))
    if not raw_groups:
        _warn_of_unknown(request, rejected)
    for raw_group in raw_groups:
        group = _parsed(known.resource_group, raw_group, rejected)
        resource = _read_resource(group, budget, rejected)
        raw_scope_groups = (*getattr(group, known.scope_groups), *getattr(group, known.old_scope_groups))
        budget.spend_records(len(raw_scope_groups))
        if not raw_scope_groups:
            _warn_of_unknown(group, rejected)
        for raw_scope_group in raw_scope_groups:
            scope_group = _parsed(known.scope_group, raw_scope_group, rejected)
            records = getattr(scope_group, known.records)
            budget.spend_records(len(records))
            if not records:
                _warn_of_unknown(scope_group, rejected)
            yield resource, _read_scope(scope_group, budget, rejected), records


def _parsed(message: Any, raw: bytes, rejected: Rejected) -> Any:
    """A message; an empty one if the bytes hold none."""
    try:
        return parse(message, raw)
    except MalformedError as error:
        rejected.warn(f"{error}; it is left out with all that is in it")
        return message()


def _warn_of_unknown(message: Any, rejected: Rejected) -> None:
    """Tell of a message without anything that is read, but with fields that are not known."""
    unknown = len(UnknownFieldSet(message))
    if unknown:
        name = message.DESCRIPTOR.full_name
        rejected.warn(f"nothing is read of a message: none of its {unknown} fields is one of {name}")


def _read_resource(group: Any, budget: RecordBudget, rejected: Rejected) -> Resource:
    resource = _parsed(messages().resource, group.resource, rejected)
    attributes = _read_attributes(resource.attributes, budget, rejected, "a resource")
    return Resource(
        attributes,
        resource.dropped_attributes_count,
        text_of(group.schema_url),
        attributes.texts.get(SERVICE_NAME, ""),
        *read_resource(attributes.values),
    )


def _read_scope(group: Any, budget: RecordBudget, rejected: Rejected) -> Scope:
    scope = _parsed(messages().scope, group.scope, rejected)
    return Scope(
        text_of(scope.name),
        text_of(scope.version),
        _read_attributes(scope.attributes, budget, rejected, "a scope"),
        scope.dropped_attributes_count,
        text_of(group.schema_url),
    )


def _read_attributes(raws: Sequence[bytes], budget: RecordBudget, rejected: Rejected, whose: str) -> Attributes:
    """The attributes that can be read."""
    try:
        return read_attributes(raws, budget)
    except MalformedError:
        pass
    kept: list[bytes] = []
    for raw in raws:
        try:
            read_attributes([raw], budget)
        except MalformedError as error:
            rejected.warn(f"an attribute of {whose}: {error}; it is left out")
        else:
            kept.append(raw)
    return read_attributes(kept, budget)
