"""OTLP's messages as they are parsed here: what may be broken in one span does not break the request.

The classes are made from the descriptors of `opentelemetry-proto`, and read and write the same bytes, but

- a string is `bytes`: protobuf refuses a whole request for one name that is no UTF-8,
- a repeated message, and every `AnyValue`, is `bytes` too, its serialized form: a span is parsed when its turn comes,
  so that a broken one can be left out, nesting is limited by who reads a value, and a small body of a million empty
  messages takes no gigabytes.

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

_Field: Final = descriptor_pb2.FieldDescriptorProto


class Messages(NamedTuple):
    """The message classes, by what they hold."""

    traces: Any
    resource_spans: Any
    scope_spans: Any
    span: Any
    event: Any
    link: Any
    logs: Any
    resource_logs: Any
    scope_logs: Any
    log_record: Any
    key_value: Any
    any_value: Any


@functools.cache
def messages() -> Messages:
    """All classes; made at the first call."""
    names = (
        "collector.trace.v1.ExportTraceServiceRequest",
        "trace.v1.ResourceSpans",
        "trace.v1.ScopeSpans",
        "trace.v1.Span",
        "trace.v1.Span.Event",
        "trace.v1.Span.Link",
        "collector.logs.v1.ExportLogsServiceRequest",
        "logs.v1.ResourceLogs",
        "logs.v1.ScopeLogs",
        "logs.v1.LogRecord",
        "common.v1.KeyValue",
        "common.v1.AnyValue",
    )
    return Messages(*(message_class(PACKAGE + name) for name in names))


@functools.cache
def message_class(full_name: str) -> Any:
    """The class of the message of this name, such as `opentelemetry.proto.trace.v1.Span`."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(full_name))


def parse(message: Any, raw: bytes) -> Any:
    """The message of this class that the bytes hold.

    Raises:
        MalformedError: if they hold none.
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
        if field.type == _Field.TYPE_STRING or is_any_value or is_repeated_message:
            field.type = _Field.TYPE_BYTES
            field.ClearField("type_name")
    for nested in message.nested_type:
        _loosen(nested)
