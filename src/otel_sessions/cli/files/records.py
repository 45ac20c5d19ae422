"""`records_of`: the spans and log records that a message of a file holds, each with what tells where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from otel_sessions.cli.files.messages import Message
from otel_sessions.server.exporting.kinds import EVENTS, KIND, LOG_LINE, SCOPE, SPAN_LINE
from otel_sessions.server.otlp.errors import RequestError
from otel_sessions.server.otlp.json_requests import logs_of_object, parsed, traces_of_object
from otel_sessions.server.otlp.messages import SignalMessages, messages, parse
from otel_sessions.server.otlp.requests_of_rows import protobuf_requests
from otel_sessions.server.signals import LOGS, METRICS, TRACES

_TRACES: Final = ("resourceSpans", "resource_spans", "batches")
_LOGS: Final = ("resourceLogs", "resource_logs")
_METRICS: Final = ("resourceMetrics", "resource_metrics")

GIVEN: Final = "given"
"""The signal of what sessions were given, as a line of JSON; it is no signal of OTLP."""

ROWS_AT_ONCE: Final = 500
_ROWS: Final = tuple(f'{{"{KIND}":"{line}",'.encode() for line in (SPAN_LINE, LOG_LINE))
"""How the lines of rows begin that `export` writes."""

_ROW_HEAD: Final = min(map(len, _ROWS))
_NOTHING: Final = (b"", b"")
_SCOPE: Final = SCOPE.encode()


class Record(NamedTuple):
    """A span or log record, serialized, or a score, annotation or name.

    Attributes:
        signal: `TRACES`, `LOGS` or `GIVEN`.
        resource: the resource, and the URL of its schema.
        scope: the scope, and the URL of its schema.
        raw: the record.
    """

    signal: str
    resource: tuple[bytes, bytes]
    scope: tuple[bytes, bytes]
    raw: bytes


class NotOtlpError(Exception):
    """A message is not of spans or log records; the text says what is wrong with it."""


class Contents(NamedTuple):
    """What a message holds.

    Attributes:
        records: the spans and log records.
        left_out: what is wrong with those that cannot be read; empty if nothing is.
        metrics: True if the message holds metrics, which are not kept.
    """

    records: list[Record]
    left_out: str = ""
    metrics: bool = False


def records_of(message: Message) -> Contents:
    """The records of a message.

    Raises:
        NotOtlpError: it holds none.
    """
    try:
        return _of_json(parsed(message.raw)) if message.is_json else _of_protobuf(message.raw)
    except RequestError as error:
        raise NotOtlpError(str(error)) from None


def contents_in(messages: Iterable[Message]) -> Iterator[tuple[Message, Contents | NotOtlpError]]:
    """What each message holds, or what is wrong with it; lines of rows that stand together are read together, as the last of them."""
    rows: list[Message] = []
    for message in messages:
        is_row = message.is_json and message.raw.startswith(_ROWS)
        if rows and (not is_row or len(rows) == ROWS_AT_ONCE or not message.raw.startswith(rows[0].raw[:_ROW_HEAD])):
            yield from _together_or_alone(rows)
            rows = []
        if is_row:
            rows.append(message)
        else:
            yield message, _contents(message)
    if rows:
        yield from _together_or_alone(rows)


def _together_or_alone(rows: list[Message]) -> Iterator[tuple[Message, Contents | NotOtlpError]]:
    try:
        found = [parsed(row.raw) for row in rows]
        signal = TRACES if found[0][KIND] == SPAN_LINE else LOGS
        request = _known(signal).request
        contents = [
            record
            for written in protobuf_requests(signal, found)
            for record in _records(signal, parse(request, written))
        ]
    except Exception:  # whatever it is, it is told of its own line
        for row in rows:
            yield row, _contents(row)
    else:
        yield rows[-1], Contents(contents)


def _contents(message: Message) -> Contents | NotOtlpError:
    try:
        return records_of(message)
    except NotOtlpError as error:
        return error


def _of_json(said: Any) -> Contents:
    if isinstance(said, list):
        return _together([_of_json(one) for one in said])
    if not isinstance(said, dict):
        raise NotOtlpError("no object")
    if said.get(KIND) in (SPAN_LINE, LOG_LINE):
        return _of_row(said)
    if said.get(KIND) in EVENTS:
        return Contents([_given(json.dumps(said).encode())])
    found = []
    for signal, names, read in ((TRACES, _TRACES, traces_of_object), (LOGS, _LOGS, logs_of_object)):
        if any(name in said for name in names):
            request, rejected = read({name: said[name] for name in names if name in said})
            found.append(Contents(list(_records(signal, request)), rejected.message))
    if found:
        return _together(found)
    if any(name in said for name in _METRICS):
        return Contents([], metrics=True)
    if not said:
        return Contents([])
    raise NotOtlpError(f"neither {_TRACES[0]} nor {_LOGS[0]} in it")


def _together(found: list[Contents]) -> Contents:
    return Contents(
        [record for one in found for record in one.records],
        "; ".join(one.left_out for one in found if one.left_out),
        metrics=any(one.metrics for one in found),
    )


def _of_row(said: dict[str, Any]) -> Contents:
    """The record of a line of `export --format jsonl`."""
    signal = TRACES if said[KIND] == SPAN_LINE else LOGS
    try:
        (written,) = protobuf_requests(signal, [said])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise NotOtlpError(f"a row that misses something or has it in another form: {error}") from None
    except Exception as error:
        raise NotOtlpError(f"a row with a value that does not fit: {error}") from None
    known = _known(signal)
    return Contents(list(_records(signal, parse(known.request, written))))


def _of_protobuf(raw: bytes) -> Contents:
    signal = _signal_of(raw)
    if signal == METRICS:
        return Contents([], metrics=True)
    return Contents(list(_records(signal, parse(_known(signal).request, raw))))


def _known(signal: str) -> SignalMessages:
    return messages().traces if signal == TRACES else messages().logs


def _records(signal: str, request: Any) -> Iterator[Record]:
    known = _known(signal)
    for raw_group in getattr(request, known.resource_groups):
        group = parse(known.resource_group, raw_group)
        resource = (group.resource, group.schema_url)
        for raw_scope in (*getattr(group, known.scope_groups), *getattr(group, known.old_scope_groups)):
            scope_group = parse(known.scope_group, raw_scope)
            scope = (scope_group.scope, scope_group.schema_url)
            is_given = _SCOPE in scope_group.scope and _is_of_given(scope_group.scope)
            for raw in getattr(scope_group, known.records):
                yield _given(_body_of(raw)) if is_given else Record(signal, resource, scope, raw)


def _given(line: bytes) -> Record:
    return Record(GIVEN, _NOTHING, _NOTHING, line)


def _is_of_given(scope: bytes) -> bool:
    return bool(InstrumentationScope.FromString(scope).name == SCOPE)


def _body_of(raw: bytes) -> bytes:
    return bytes(LogRecord.FromString(raw).body.string_value.encode())


def _signal_of(raw: bytes) -> str:
    """What a serialized request holds. Requests of all signals have the same first levels; their records differ.

    Raises:
        MalformedError: it is no protobuf message.
        NotOtlpError: it is of no known signal.
    """
    known = messages().logs
    for raw_group in parse(known.request, raw).resource_logs:
        for raw_scope in parse(known.resource_group, raw_group).scope_logs:
            for record in parse(known.scope_group, raw_scope).log_records:
                return _kind_of_record(record)
    return TRACES


def _kind_of_record(raw: bytes) -> str:
    """A span has two ids at its beginning and two times, a metric has a name there, a log record a time or nothing."""
    fields = _first_fields(raw)
    first = fields.get(1)
    if not isinstance(first, bytes):
        return LOGS
    second = fields.get(2)
    is_span = len(first) == 16 and isinstance(second, bytes) and len(second) == 8
    return TRACES if is_span or isinstance(fields.get(7), int) else METRICS


def _first_fields(raw: bytes) -> dict[int, Any]:
    """The first value of each field: an integer, or bytes."""
    fields: dict[int, Any] = {}
    at = 0
    try:
        while at < len(raw):
            tag, at = _varint(raw, at)
            form = tag & 7
            value: Any
            if form == 0:
                value, at = _varint(raw, at)
            elif form in (1, 5):
                size = 8 if form == 1 else 4
                value, at = int.from_bytes(raw[at : at + size], "little"), at + size
            elif form == 2:
                size, at = _varint(raw, at)
                value, at = raw[at : at + size], at + size
            else:
                raise NotOtlpError("not a message of OTLP")
            fields.setdefault(tag >> 3, value)
    except IndexError:
        raise NotOtlpError("not a message of OTLP") from None
    return fields


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = raw[at]
        number |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return number, at
        shift += 7
