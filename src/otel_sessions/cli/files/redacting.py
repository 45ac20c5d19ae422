"""`redacting`: the lines of an export without secrets."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import IO, Any, Final

from otel_sessions.redaction import redact_value
from otel_sessions.redaction.otlp import redact_request
from otel_sessions.redaction.texts import redact_text
from otel_sessions.server.otlp.json_requests import logs_of_object, traces_of_object
from otel_sessions.server.otlp.values import from_text, to_text

Change = Callable[[IO[bytes]], Iterable[bytes]]

_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_TYPES: Final = {
    "ResourceAttributes": "ResourceAttributeTypes",
    "ScopeAttributes": "ScopeAttributeTypes",
    "SpanAttributes": "SpanAttributeTypes",
    "LogAttributes": "LogAttributeTypes",
    "Events.Attributes": "EventAttributeTypes",
    "Links.Attributes": "LinkAttributeTypes",
}
"""By column of attributes, the column of their types."""

_LONGEST_CELL: Final = 1 << 30
"""Characters; by default a longer one than 131,072 is an error."""

_HEADS: Final = ("# ", "## ", "### ")
_LONGEST_PIECE: Final = 16 << 20
"""Characters of a document that are held at once."""

_NUMBERS: Final = frozenset("idb")
"""Letters of numbers and booleans, which are written as texts."""


def redacting(format_: str, counts: Counter[str], *, emails: bool) -> Change:
    """What takes secrets out of an export.

    Args:
        format_: of what is written; `otlp_proto` is made of OTLP/JSON.
        counts: counts what is replaced, by kind.
        emails: replace addresses of e-mail too.
    """
    if format_ == "csv":
        return partial(_csv, counts=counts, emails=emails)
    if format_ == "markdown":
        return partial(_markdown, counts=counts, emails=emails)
    change = {"otlp": _otlp, "otlp_proto": _protobuf}.get(format_, _row)
    return partial(_lines, change=change, counts=counts, emails=emails)


def _lines(
    answer: IO[bytes], *, change: Callable[[Any, Counter[str], bool], bytes], counts: Counter[str], emails: bool
) -> Iterator[bytes]:
    for line in answer:
        yield change(json.loads(line), counts, emails)


def _otlp(request: Any, counts: Counter[str], emails: bool) -> bytes:
    return _to_json(redact_request(request, counts, emails=emails)).encode() + b"\n"


def _protobuf(request: Any, counts: Counter[str], emails: bool) -> bytes:
    redacted = redact_request(request, counts, emails=emails)
    read = traces_of_object if "resourceSpans" in redacted else logs_of_object
    message = bytes(read(redacted)[0].SerializeToString())
    return len(message).to_bytes(4) + message


def _row(row: Any, counts: Counter[str], emails: bool) -> bytes:
    """A row of a table; numbers in maps of texts stay."""
    redacted: dict[str, Any] = {}
    for name, value in row.items():
        types = row.get(_TYPES.get(name, ""))
        if name in _TYPES and isinstance(value, dict):
            redacted[name] = _attributes(value, types or {}, counts, emails=emails)
        elif name in _TYPES and isinstance(value, list):
            kinds = types or [{}] * len(value)
            redacted[name] = [
                _attributes(one, kind, counts, emails=emails) for one, kind in zip(value, kinds, strict=False)
            ]
        elif name in _TYPES.values():
            redacted[name] = value
        else:
            redacted[name] = redact_value(value, name=name, counts=counts, emails=emails)
    return _to_json(redacted).encode() + b"\n"


def _attributes(texts: dict[str, str], types: dict[str, str], counts: Counter[str], *, emails: bool) -> dict[str, str]:
    redacted = {}
    for name, text in texts.items():
        letter = types.get(name, "")
        if letter in _NUMBERS:
            redacted[name] = text
        elif letter:
            value = redact_value(from_text(text, letter), name=name, counts=counts, emails=emails)
            redacted[name] = to_text(value)[0]
        else:
            redacted[name] = redact_value(text, name=name, counts=counts, emails=emails)
    return redacted


def _markdown(answer: IO[bytes], *, counts: Counter[str], emails: bool) -> Iterator[bytes]:
    """A document message by message, since a secret may have several lines."""
    waiting: list[str] = []
    size = 0
    for raw in answer:
        line = raw.decode()
        if waiting and (line.startswith(_HEADS) or size > _LONGEST_PIECE):
            yield redact_text("".join(waiting), counts, emails=emails).encode()
            waiting, size = [], 0
        waiting.append(line)
        size += len(line)
    yield redact_text("".join(waiting), counts, emails=emails).encode()


def _csv(answer: IO[bytes], *, counts: Counter[str], emails: bool) -> Iterator[bytes]:
    csv.field_size_limit(_LONGEST_CELL)
    rows = csv.reader(io.TextIOWrapper(answer, encoding="utf-8", newline=""))
    names = next(rows, [])
    yield _csv_line(names)
    for row in rows:
        cells = (
            redact_value(cell, name=name, counts=counts, emails=emails) for name, cell in zip(names, row, strict=True)
        )
        yield _csv_line(list(cells))


def _csv_line(cells: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()
