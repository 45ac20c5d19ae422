"""A log record as it was sent, as the API answers with it. Values are shown as those of spans are."""

from __future__ import annotations

from typing import Any, Final, Self

from pydantic import BaseModel, Field

from otel_sessions.long_texts import cut
from otel_sessions.server.api.models import Time
from otel_sessions.server.api.shown_values import longest_value, shown_name
from otel_sessions.server.api.span_models import Attributes, shown_attributes
from otel_sessions.server.clickhouse.span_rows import Row
from otel_sessions.server.otlp.values import from_text, to_json_value
from otel_sessions.timestamps import format_time

_EVENT_NAME: Final = "event.name"


class LogRecord(BaseModel):
    """A log record as it was sent."""

    time: Time | None = Field(
        description="When the log record was made, else when it was observed; null if neither was sent."
    )
    severity: int | None = Field(
        description="The severity number, 1 to 24; null if none was sent.", examples=[17], ge=1, le=255
    )
    severity_text: str | None = Field(
        description="The severity as the sender names it; null if none was sent.", examples=["ERROR"]
    )
    body: Any = Field(description="The body. Values keep their types, as in `attributes`; null if none was sent.")
    attributes: Attributes
    trace_id: str | None = Field(description="The trace that it was written in; null if none was sent.")
    span_id: str | None = Field(description="The span that it was written in; null if none was sent.")
    service: str | None = Field(description="The name of the service that sent it; null if it is not known.")
    event_name: str | None = Field(
        description="The name of the event, or the attribute `event.name`; null if the log record is no event."
    )

    @classmethod
    def of(cls, row: Row) -> Self:
        """The log record of a row of `otel_logs`, written by a server or by a Collector; long texts are cut."""
        longest = longest_value([row["Body"], *row["LogAttributes"].values()])
        body = row["Body"]
        event_name = row["EventName"] or row["LogAttributes"].get(_EVENT_NAME, "")
        return cls(
            time=format_time(row["Time"]) if row["Time"] else None,
            severity=row["SeverityNumber"] or None,
            severity_text=shown_name(row["SeverityText"]) or None,
            body=to_json_value(from_text(body, row["BodyType"])) if len(body) <= longest else cut(body, longest),
            attributes=shown_attributes(row["LogAttributes"], row["LogAttributeTypes"], longest),
            trace_id=row["TraceId"] or None,
            span_id=row["SpanId"] or None,
            service=shown_name(row["ServiceName"]) or None,
            event_name=shown_name(event_name) or None,
        )
