"""OTLP's messages as they are parsed here: an error in one span does not break the request.

The classes are made from the descriptors of `opentelemetry-proto`, and read and write the same bytes, but

- a string is `bytes`: protobuf refuses a whole request for one name that is not UTF-8,
- a repeated message, a resource, a scope and every `AnyValue` is `bytes` too, its serialized form: each span is parsed by
  itself, so that a broken one can be left out, the reader of a value limits its nesting, and a small body of a million
  empty messages does not take gigabytes.
- groups by scope have their number of OTLP 0.15 to 0.19 too, under which exporters of that time sent them as groups by
  instrumentation library; the messages are the same on the wire.

On the wire strings, bytes and messages are one and the same: a length, then that many bytes.
"""

from __future__ import annotations

import functools
from typing import Any, Final, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from otel_sessions.server.otlp.errors import MalformedError

PACKAGE: Final = "opentelemetry.proto."
ANY_VALUE: Final = PACKAGE + "common.v1.AnyValue"
KEY_VALUE: Final = PACKAGE + "common.v1.KeyValue"

OLD_SCOPE_GROUPS: Final = "instrumentation_library_groups"
_OLD_NUMBER: Final = 1000
_WITH_SCOPE_GROUPS: Final = frozenset({"ResourceSpans", "ResourceLogs"})
_ORIGINS: Final = frozenset({"resource", "scope"})

_Field: Final = descriptor_pb2.FieldDescriptorProto


class SignalMessages(NamedTuple):
    """The messages of one signal: a request holds groups by resource, these hold groups by scope, and these the records.

    Attributes:
        request: class of a request.
        resource_group: class of a group by resource.
        scope_group: class of a group by scope.
        record: class of a span or log record.
        resource_groups: the field of a request with its groups by resource.
        scope_groups: the field of a group by resource with its groups by scope.
        records: the field of a group by scope with its records.
        old_scope_groups: the field of a group by resource with its groups by instrumentation library.
    """

    request: Any
    resource_group: Any
    scope_group: Any
    record: Any
    resource_groups: str
    scope_groups: str
    records: str
    old_scope_groups: str = OLD_SCOPE_GROUPS


class Messages(NamedTuple):
    """The messages of both signals, and the classes of what spans and log records hold."""

    traces: SignalMessages
    logs: SignalMessages
    event: Any
    link: Any
    resource: Any
    scope: Any
    key_value: Any
    any_value: Any


@functools.cache
def messages() -> Messages:
    """All messages; the first call makes their classes."""
    return Messages(
        traces=SignalMessages(
            message_class(PACKAGE + "collector.trace.v1.ExportTraceServiceRequest"),
            message_class(PACKAGE + "trace.v1.ResourceSpans"),
            message_class(PACKAGE + "trace.v1.ScopeSpans"),
            message_class(PACKAGE + "trace.v1.Span"),
            resource_groups="resource_spans",
            scope_groups="scope_spans",
            records="spans",
        ),
        logs=SignalMessages(
            message_class(PACKAGE + "collector.logs.v1.ExportLogsServiceRequest"),
            message_class(PACKAGE + "logs.v1.ResourceLogs"),
            message_class(PACKAGE + "logs.v1.ScopeLogs"),
            message_class(PACKAGE + "logs.v1.LogRecord"),
            resource_groups="resource_logs",
            scope_groups="scope_logs",
            records="log_records",
        ),
        event=message_class(PACKAGE + "trace.v1.Span.Event"),
        link=message_class(PACKAGE + "trace.v1.Span.Link"),
        resource=message_class(PACKAGE + "resource.v1.Resource"),
        scope=message_class(PACKAGE + "common.v1.InstrumentationScope"),
        key_value=message_class(PACKAGE + "common.v1.KeyValue"),
        any_value=message_class(ANY_VALUE),
    )


@functools.cache
def message_class(full_name: str) -> Any:
    """The class of the message with this name, such as `opentelemetry.proto.trace.v1.Span`."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(full_name))


def parse(message: Any, raw: bytes) -> Any:
    """The message of this class that the bytes hold.

    Raises:
        MalformedError: they do not hold a valid one.
    """
    try:
        return message.FromString(raw)
    except DecodeError:
        raise MalformedError(f"not a valid protobuf message: {message.DESCRIPTOR.full_name}") from None


@functools.cache
def _pool() -> Any:
    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()
    _add(pool, trace_service_pb2.DESCRIPTOR, added)
    _add(pool, logs_service_pb2.DESCRIPTOR, added)
    return pool


def _add(pool: Any, file: Any, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for needed in file.dependencies:
        _add(pool, needed, added)
    copy = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(copy)
    for message in copy.message_type:
        _loosen(message)
    pool.AddSerializedFile(copy.SerializeToString())


def _loosen(message: Any) -> None:
    for field in message.field:
        is_message = field.type == _Field.TYPE_MESSAGE
        is_any_value = is_message and field.type_name == "." + ANY_VALUE
        is_repeated_message = is_message and field.label == _Field.LABEL_REPEATED
        is_origin = is_message and field.name in _ORIGINS
        if field.type == _Field.TYPE_STRING or is_any_value or is_repeated_message or is_origin:
            field.type = _Field.TYPE_BYTES
            field.ClearField("type_name")
    if message.name in _WITH_SCOPE_GROUPS:
        # The number is reserved today.
        message.ClearField("reserved_range")
        message.field.add(
            name=OLD_SCOPE_GROUPS, number=_OLD_NUMBER, type=_Field.TYPE_BYTES, label=_Field.LABEL_REPEATED
        )
    for nested in message.nested_type:
        _loosen(nested)
