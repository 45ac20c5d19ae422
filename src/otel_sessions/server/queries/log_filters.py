"""The filters of a list of log records, as SQL over rows of `otel_logs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SEVERITIES: Final[Mapping[str, int]] = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
"""The least severity number of each name: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber"""

_EACH: Final = 4
"""Numbers that one name stands for."""

MOST: Final = 24
_OTHER_NAMES: Final[Mapping[str, str]] = {
    "verbose": "debug",
    "information": "info",
    "notice": "info",
    "warning": "warn",
    "err": "error",
    "critical": "fatal",
    "alert": "fatal",
    "emergency": "fatal",
}
"""Texts of other logging systems, for records that have no number."""

_CONDITIONS: Final = {
    "q": "position(lowerUTF8(Body), lowerUTF8({log_q:String})) > 0",
    "event": "(EventName = {log_event:String} OR (EventName = '' AND LogAttributes['event.name'] = {log_event:String}))",
    "since": "toUnixTimestamp64Nano(Timestamp) >= {log_since:Int128}",
    "until": "toUnixTimestamp64Nano(Timestamp) < {log_until:Int128}",
    "service": "ServiceName = {log_service:String}",
    "trace_id": "TraceId = {log_trace_id:String}",
    "span_id": "SpanId = {log_span_id:String}",
}
_SEVERITY: Final = "if(SeverityNumber = 0, transform(lower(SeverityText), {texts:Array(String)}, {numbers:Array(UInt8)}, toUInt8(0)), SeverityNumber)"


@dataclass(frozen=True, slots=True)
class LogFilters:
    """Conditions that a log record must meet, all of them. `None` stands for a condition that is not set.

    Attributes:
        severities: the least and the greatest severity number; a record without one has that of its severity text.
        q: a part of the body, in upper or lower case.
        event: the name of the event, whole.
        since: the record was made at this moment or later, nanoseconds UTC.
        until: the record was made before this moment, nanoseconds UTC.
        service: the name of the service, whole.
        trace_id: as the table has it.
        span_id: as the table has it.
    """

    severities: tuple[int, int] | None = None
    q: str | None = None
    event: str | None = None
    since: int | None = None
    until: int | None = None
    service: str | None = None
    trace_id: str | None = None
    span_id: str | None = None


def severities_of(text: str) -> tuple[int, int] | None:
    """The severity numbers that a name such as `error`, or one number, stands for; `None` for any other text."""
    if text.isascii() and text.isdigit():
        number = int(text)
        return (number, number) if 1 <= number <= MOST else None
    name = text.lower()
    least = SEVERITIES.get(_OTHER_NAMES.get(name, name))
    return None if least is None else (least, least + _EACH - 1)


def log_conditions(filters: LogFilters) -> tuple[str, dict[str, Any]]:
    """The conditions on a row of `otel_logs` as SQL, and their parameters."""
    found = ["1"]
    parameters: dict[str, Any] = {}
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None:
            found.append(condition)
            parameters[f"log_{name}"] = value
    if filters.severities is not None:
        known = _numbers_of_texts()
        found.append(f"{_SEVERITY} BETWEEN {{least:UInt8}} AND {{greatest:UInt8}}")
        least, greatest = filters.severities
        parameters |= {"texts": list(known), "numbers": list(known.values()), "least": least, "greatest": greatest}
    return " AND ".join(found), parameters


def _numbers_of_texts() -> dict[str, int]:
    """Every text that stands for a severity, also `error2` and the like."""
    found = {
        name + (str(more + 1) if more else ""): least + more
        for name, least in SEVERITIES.items()
        for more in range(_EACH)
    }
    return found | {text: SEVERITIES[name] for text, name in _OTHER_NAMES.items()}
