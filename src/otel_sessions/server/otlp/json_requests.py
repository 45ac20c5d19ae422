"""Requests in OTLP/JSON, taken apart so far that one wrong member costs its own span or log record and no other.

The levels around the records (request, resource, scope) are read here member by member. A record with a member that does
not fit its field is left out. A member of a resource or a scope that does not fit is left out alone, and the records that
share it are taken.

Members may also have the names of the protobuf fields, as in protobuf's JSON mapping, and those that they had in
earlier versions of OTLP. A request in which nothing is known is answered with a warning.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from otel_sessions.server.otlp.errors import MalformedError, TooLargeError
from otel_sessions.server.otlp.json import WrongError, fields_of, kind_of, message_of
from otel_sessions.server.otlp.messages import SignalMessages, messages
from otel_sessions.server.otlp.partial_success import Rejected

MAX_BODY: Final = 16 << 20
"""Bytes of JSON; as Python objects, three bytes of it can take sixty."""

MOST_OBJECTS: Final = 1_000_000
"""Opening braces in a body. Memory grows with the number of objects; 16 MB of real attributes have fewer."""

_LONGEST_INTEGER: Final = 400
"""Digits. Python refuses to read an integer of more than 4,300; no number of this many fits a field."""

_NAMES_SHOWN: Final = 3
_NAME_SHOWN: Final = 40


class _Level(NamedTuple):
    """The names that a list of the next level has in JSON: the right one first, then older ones."""

    names: tuple[str, ...]

    def of(self, said: dict[str, Any]) -> str | None:
        """The first of the names that an object has; `None` if it has none of them."""
        return next((name for name in self.names if said.get(name) is not None), None)


class _Shape(NamedTuple):
    """Where the records of a signal are.

    Attributes:
        descriptor: of a request.
        known: the messages that the request is written as.
        groups, scopes, records: the names of the three lists.
    """

    descriptor: Any
    known: SignalMessages
    groups: _Level
    scopes: _Level
    records: _Level


_ORIGINS: Final = {
    "resource": ("resource",),
    "scope": ("scope", "instrumentationLibrary", "instrumentation_library"),
    "schema_url": ("schemaUrl", "schema_url"),
}
"""The members around the lists, by field, with their names in JSON."""


def traces_from_json(body: bytes) -> tuple[Any, Rejected]:
    """The request of `messages().traces` that a JSON body holds, and what is left out of it.

    Raises:
        MalformedError: the body is not a JSON object, or it has no array where its resources are.
        TooLargeError: the body has more than `MAX_BODY` bytes or `MOST_OBJECTS` objects.
    """
    return traces_of_object(_parsed(body))


def logs_from_json(body: bytes) -> tuple[Any, Rejected]:
    """The request of `messages().logs` that a JSON body holds, and what is left out of it.

    Raises:
        MalformedError: the body is not a JSON object, or it has no array where its resources are.
        TooLargeError: the body has more than `MAX_BODY` bytes or `MOST_OBJECTS` objects.
    """
    return logs_of_object(_parsed(body))


def parsed(text: bytes) -> Any:
    """The value of a JSON text of any size, with numbers as they are read of requests; bytes that are not UTF-8 become U+FFFD.

    Raises:
        MalformedError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text.decode("utf-8-sig", "replace"), parse_int=_whole)
    except RecursionError:
        raise MalformedError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise MalformedError(f"not valid JSON: {error}") from None


def traces_of_object(said: Any) -> tuple[Any, Rejected]:
    """As `traces_from_json`, from the value of the JSON."""
    shape = _Shape(
        trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR,
        messages().traces,
        # Tempo returns a trace as a request with this name.
        groups=_Level(("resourceSpans", "resource_spans", "batches")),
        scopes=_Level(
            ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans"),
        ),
        records=_Level(("spans",)),
    )
    return _Reader(shape).read(said)


def logs_of_object(said: Any) -> tuple[Any, Rejected]:
    """As `logs_from_json`, from the value of the JSON."""
    shape = _Shape(
        logs_service_pb2.ExportLogsServiceRequest.DESCRIPTOR,
        messages().logs,
        groups=_Level(("resourceLogs", "resource_logs")),
        scopes=_Level(("scopeLogs", "scope_logs", "instrumentationLibraryLogs", "instrumentation_library_logs")),
        records=_Level(("logRecords", "log_records", "logs")),
    )
    return _Reader(shape).read(said)


class _Reader:
    """Reads one request."""

    def __init__(self, shape: _Shape) -> None:
        self._shape = shape
        self._rejected = Rejected()
        known = shape.known
        self._group = _inner(shape.descriptor, known.resource_groups)
        self._scope_group = _inner(self._group, known.scope_groups)
        self._record = _inner(self._scope_group, known.records)

    def read(self, said: Any) -> tuple[Any, Rejected]:
        if not isinstance(said, dict):
            raise MalformedError(f"the body: an object expected, not {kind_of(said)}")
        name = self._shape.groups.of(said)
        if name is not None and not isinstance(said[name], list):
            raise MalformedError(f"{name}: an array expected, not {kind_of(said[name])}")
        known = self._shape.known
        request = known.request()
        serialized = getattr(request, known.resource_groups)
        for path, group in self._items(said, self._shape.groups, ""):
            if self._is_object(group, path):
                serialized.append(self._read_group(group, path).SerializeToString())
        return request, self._rejected

    def _read_group(self, said: dict[str, Any], path: str) -> Any:
        group = self._shape.known.resource_group()
        self._read_origin(group, self._group, said, path)
        serialized = getattr(group, self._shape.known.scope_groups)
        for inner_path, scope_group in self._items(said, self._shape.scopes, path):
            if self._is_object(scope_group, inner_path):
                serialized.append(self._read_scope_group(scope_group, inner_path).SerializeToString())
        return group

    def _read_scope_group(self, said: dict[str, Any], path: str) -> Any:
        group = self._shape.known.scope_group()
        self._read_origin(group, self._scope_group, said, path)
        serialized = getattr(group, self._shape.known.records)
        for inner_path, record in self._items(said, self._shape.records, path):
            try:
                serialized.append(message_of(self._record, record, 0).SerializeToString())
            except WrongError as error:
                self._rejected.add_wrong(inner_path + error.where, str(error))
        return group

    def _read_origin(self, group: Any, descriptor: Any, said: dict[str, Any], path: str) -> None:
        """Read resource or scope and the schema; what does not fit in them is left out alone."""
        fields = fields_of(descriptor)
        for field, names in _ORIGINS.items():
            name = next((name for name in names if said.get(name) is not None), None)
            if name is None or field not in group.DESCRIPTOR.fields_by_name:
                continue
            value = said[name]
            inner = descriptor.fields_by_name[field].message_type
            try:
                if inner is not None and isinstance(value, dict):
                    setattr(group, field, self._lenient(inner, value, f"{path}.{name}").SerializeToString())
                else:
                    setattr(group, field, fields[names[0]].convert(value, 0))
            except WrongError as error:
                self._rejected.warn(f"{path}.{name}{error.where}: {error}; it is left out")

    def _lenient(self, descriptor: Any, said: dict[str, Any], path: str) -> Any:
        """A resource or scope of those members, and those attributes, that fit their fields."""
        kept: dict[str, Any] = {}
        for name, value in said.items():
            if name == "attributes" and isinstance(value, list):
                kept[name] = [
                    one for place, one in enumerate(value) if self._fits(descriptor, {name: [one]}, path, place)
                ]
            elif self._fits(descriptor, {name: value}, path, None):
                kept[name] = value
        return message_of(descriptor, kept, 0)

    def _fits(self, descriptor: Any, member: dict[str, Any], path: str, place: int | None) -> bool:
        try:
            message_of(descriptor, member, 0)
        except WrongError as error:
            where = error.where if place is None else error.where.replace("[0]", f"[{place}]", 1)
            self._rejected.warn(f"{path}{where}: {error}; it is left out")
            return False
        return True

    def _items(self, said: dict[str, Any], level: _Level, path: str) -> Iterator[tuple[str, Any]]:
        """The members of a list with their paths; a list that is missing although there are other members is a warning."""
        name = level.of(said)
        if name is None:
            unknown = [name for name, value in said.items() if value is not None and not _is_origin(name)]
            if unknown and not any(name in said for name in level.names):
                shown = ", ".join(repr(name[:_NAME_SHOWN]) for name in unknown[:_NAMES_SHOWN])
                more = f" and {len(unknown) - _NAMES_SHOWN} more" if len(unknown) > _NAMES_SHOWN else ""
                where = path.removeprefix(".") or "the body"
                self._rejected.warn(
                    f"{where}: nothing is read of it; it has {shown}{more}, where {level.names[0]} is expected"
                )
            return
        values = said[name]
        path = f"{path}.{name}".removeprefix(".")
        if not isinstance(values, list):
            self._rejected.warn(f"{path}: an array expected, not {kind_of(values)}; it is left out")
            return
        for place, value in enumerate(values):
            yield f"{path}[{place}]", value

    def _is_object(self, value: Any, path: str) -> bool:
        if isinstance(value, dict):
            return True
        self._rejected.warn(f"{path}: an object expected, not {kind_of(value)}; it is left out")
        return False


def _is_origin(name: str) -> bool:
    return any(name in names for names in _ORIGINS.values())


def _inner(descriptor: Any, field: str) -> Any:
    """The descriptor of the messages in a repeated field."""
    return descriptor.fields_by_name[field].message_type


def _parsed(body: bytes) -> Any:
    if len(body) > MAX_BODY:
        raise TooLargeError(f"the JSON has {len(body)} bytes, at most {MAX_BODY} are accepted; protobuf may have more")
    if body.count(b"{") > MOST_OBJECTS:
        raise TooLargeError(f"the JSON has more than {MOST_OBJECTS} opening braces; protobuf has no such limit")
    return parsed(body)


def _whole(digits: str) -> int | float:
    """A number without a fraction; a double of -0.0 is written as `-0`."""
    return -0.0 if digits == "-0" else int(digits[:_LONGEST_INTEGER])
