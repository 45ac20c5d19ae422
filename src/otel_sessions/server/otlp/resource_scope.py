"""Where spans and log records come from: resource and instrumentation scope, read once for all records that share them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from otel_sessions.resource import SERVICE_NAME, service_and_environment
from otel_sessions.server.otlp.attributes import Attributes, read_attributes
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.messages import SignalMessages, parse
from otel_sessions.server.otlp.values import text_of


class Resource(NamedTuple):
    """A resource, and what is looked up in its attributes.

    Attributes:
        service_name: the text of `service.name`, empty without one; for the column of this name.
        service: `service.name` if it is a string.
        environment: `deployment.environment.name`, or the older `deployment.environment`, if it is a string.
    """

    attributes: Attributes
    dropped_attributes: int
    schema_url: str
    service_name: str
    service: str | None
    environment: str | None


class Scope(NamedTuple):
    """An instrumentation scope."""

    name: str
    version: str
    attributes: Attributes
    dropped_attributes: int
    schema_url: str


def each_scope(
    request: Any, messages: SignalMessages, budget: RecordBudget
) -> Iterator[tuple[Resource, Scope, Sequence[bytes]]]:
    """Resource, scope and serialized records of each scope in a request.

    Args:
        request: a `messages.request`.
        messages: those of its signal.
        budget: counts resources, scopes and records, and the attributes of resources and scopes.

    Raises:
        MalformedError: a resource or a scope, or a message around them, is broken.
        TooLargeError: the budget is spent.
    """
    raw_groups = getattr(request, messages.resource_groups)
    budget.spend_records(len(raw_groups))
    for raw_group in raw_groups:
        group = parse(messages.resource_group, raw_group)
        resource = _read_resource(group, budget)
        raw_scope_groups = getattr(group, messages.scope_groups)
        budget.spend_records(len(raw_scope_groups))
        for raw_scope_group in raw_scope_groups:
            scope_group = parse(messages.scope_group, raw_scope_group)
            records = getattr(scope_group, messages.records)
            budget.spend_records(len(records))
            yield resource, _read_scope(scope_group, budget), records


def _read_resource(group: Any, budget: RecordBudget) -> Resource:
    attributes = read_attributes(group.resource.attributes, budget)
    return Resource(
        attributes,
        group.resource.dropped_attributes_count,
        text_of(group.schema_url),
        attributes.texts.get(SERVICE_NAME, ""),
        *service_and_environment(attributes.values),
    )


def _read_scope(group: Any, budget: RecordBudget) -> Scope:
    scope = group.scope
    return Scope(
        text_of(scope.name),
        text_of(scope.version),
        read_attributes(scope.attributes, budget),
        scope.dropped_attributes_count,
        text_of(group.schema_url),
    )
