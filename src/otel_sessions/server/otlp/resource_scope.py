"""Where spans and log records come from: resource and instrumentation scope, read once for all that share them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from otel_sessions.resource import SERVICE_NAME, service_and_environment
from otel_sessions.server.otlp.attributes import Attributes, read_attributes
from otel_sessions.server.otlp.limits import Parts
from otel_sessions.server.otlp.messages import parse


class Resource(NamedTuple):
    """A resource and what is looked up in it.

    Attributes:
        service_name: the text of `service.name`, empty without one; for the column of this name.
        service: `service.name` where it is a string.
        environment: `deployment.environment.name`, else its older spelling, where it is a string.
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


def read_resource(message: Any, parts: Parts) -> Resource:
    """The resource of a `ResourceSpans` or `ResourceLogs`.

    Raises:
        MalformedError: if one of its attributes is.
        TooLargeError: if the request has too many.
    """
    parts.attributes(len(message.resource.attributes))
    attributes = read_attributes(message.resource.attributes)
    return Resource(
        attributes,
        message.resource.dropped_attributes_count,
        text(message.schema_url),
        attributes.texts.get(SERVICE_NAME, ""),
        *service_and_environment(attributes.values),
    )


def read_scope(message: Any, parts: Parts) -> Scope:
    """The scope of a `ScopeSpans` or `ScopeLogs`.

    Raises:
        MalformedError: if one of its attributes is.
        TooLargeError: if the request has too many.
    """
    scope = message.scope
    parts.attributes(len(scope.attributes))
    return Scope(
        text(scope.name),
        text(scope.version),
        read_attributes(scope.attributes),
        scope.dropped_attributes_count,
        text(message.schema_url),
    )


def walk(
    raw_groups: Sequence[bytes], group_class: Any, scopes: str, scope_class: Any, records: str, parts: Parts
) -> Iterator[tuple[Resource, Scope, Sequence[bytes]]]:
    """Resource, scope and serialized records of each scope in a request.

    Args:
        raw_groups: the serialized `ResourceSpans` or `ResourceLogs`.
        group_class: their class.
        scopes: the field of what is in them, by scope.
        scope_class: its class.
        records: the field of the records in that.
        parts: what counts them.

    Raises:
        MalformedError: if a resource or a scope, or what is around them, is broken.
        TooLargeError: if the request has too many parts.
    """
    parts.records(raw_groups)
    for raw_group in raw_groups:
        group = parse(group_class, raw_group)
        resource = read_resource(group, parts)
        raw_scopes = getattr(group, scopes)
        parts.records(raw_scopes)
        for raw_scope in raw_scopes:
            in_scope = parse(scope_class, raw_scope)
            found = getattr(in_scope, records)
            parts.records(found)
            yield resource, read_scope(in_scope, parts), found


def text(raw: bytes) -> str:
    """A string as it came; what is no UTF-8 is replaced by U+FFFD."""
    return raw.decode("utf-8", "replace")
