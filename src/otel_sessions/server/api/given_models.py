"""Bodies and answers about what people give to sessions: scores, annotations and names."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from otel_sessions import rules
from otel_sessions.counting.score import Score as StoredScore
from otel_sessions.rules import DEFAULT_LIMITS
from otel_sessions.server.api.models import Time
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.projections.given_to_sessions import Annotation as StoredAnnotation
from otel_sessions.timestamps import format_time, parse_time

LONGEST_TEXT: Final = 20_000
LONGEST_LINE: Final = DEFAULT_LIMITS.text_length
_TRACE_ID: Final = r"^[0-9a-fA-F]{32}$"
_SPAN_ID: Final = r"^[0-9a-fA-F]{16}$"


def _finite(value: Any) -> Any:
    """A number as a float; a bool counts as 1 or 0."""
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise ValueError("give a finite number")  # noqa: TRY004 - pydantic reports a ValueError
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("give a finite number")
    return number


def _moment(text: str | None) -> str | None:
    if text is not None and (parse_time(text) or -1) < 0:
        raise ValueError("give a time since 1970 such as 2026-11-20T12:00:00Z")
    return text


def _printed(field: str) -> AfterValidator:
    return AfterValidator(lambda text: None if text is None else rules.text(text, field=field))


TraceIdIn = Annotated[
    str | None,
    Field(description="The trace that it is about, 32 hexadecimal digits.", pattern=_TRACE_ID),
]
SpanIdIn = Annotated[
    str | None,
    Field(description="The span that it is about, 16 hexadecimal digits; only with `trace_id`.", pattern=_SPAN_ID),
]
Author = Annotated[str | None, Field(description="Who gives it.", max_length=LONGEST_LINE), _printed("author")]
IdIn = Annotated[
    str | None,
    Field(
        description=(
            "A text that you choose for it: of several requests about one session with the same one only the first adds something. The "
            "header `Idempotency-Key` does the same."
        ),
        min_length=1,
        max_length=LONGEST_LINE,
    ),
]
TimeIn = Annotated[
    str | None,
    Field(description="When it was given, RFC 3339; by default now.", json_schema_extra={"format": "date-time"}),
    AfterValidator(_moment),
]


class _On(BaseModel):
    """What is posted about a session, or about a trace or a span of it."""

    model_config = ConfigDict(extra="forbid")

    trace_id: TraceIdIn = None
    span_id: SpanIdIn = None
    author: Author = None
    time: TimeIn = None
    id: IdIn = None

    @model_validator(mode="after")
    def _has_trace(self) -> Self:
        if self.trace_id is not None and not int(self.trace_id, 16):
            raise ValueError("trace_id is all zeros, which is no trace")
        if self.span_id is not None and (self.trace_id is None or not int(self.span_id, 16)):
            raise ValueError("span_id needs the trace_id of its trace, and is not all zeros")
        return self


class ScoreIn(_On):
    """A score to add; it has a value, a label, or both."""

    name: Annotated[
        str,
        Field(description="The property that is scored.", max_length=LONGEST_LINE, examples=["helpful"]),
        AfterValidator(lambda name: rules.score_name(name, field="name")),
    ]
    value: Annotated[
        float | None, BeforeValidator(_finite), Field(description="A finite number; a boolean counts as 1 or 0.")
    ] = None
    label: Annotated[
        str | None,
        Field(description="The score in words, such as `pass`.", min_length=1, max_length=LONGEST_LINE),
        _printed("label"),
    ] = None
    comment: Annotated[str | None, Field(description="An explanation.", max_length=LONGEST_TEXT)] = None
    source: Annotated[
        Literal["api", "page", "otel"],
        Field(description="Where it comes from: a program, a page, or an event that was stored elsewhere."),
    ] = "api"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.value is None and self.label is None:
            raise ValueError("give a value or a label")
        return self


class AnnotationIn(_On):
    """A remark to add."""

    text: Annotated[str, Field(description="The remark.", min_length=1, max_length=LONGEST_TEXT)]


class Renaming(BaseModel):
    """A new name of a session."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str | None,
        Field(
            description="The name, which comes before those that spans give; null takes it back.",
            max_length=LONGEST_LINE,
            examples=["Refund of order 2611"],
        ),
        _printed("name"),
    ]


TraceId = Annotated[str | None, Field(description="The trace that it is about; null if it is about the session.")]
SpanId = Annotated[
    str | None, Field(description="The span that it is about; null if it is about the session or a trace.")
]


class Score(BaseModel):
    """A number or a label on a session, a trace or a span."""

    id: str = Field(description="The id of the score, 32 hexadecimal digits.")
    name: str = Field(description="The property that is scored.")
    value: float | None = Field(description="The value; null if there is only a label.")
    label: str | None = Field(description="The score in words.")
    comment: str | None = Field(description="An explanation.")
    source: str = Field(description="Where it comes from: `otel` for events, `api` or `page`.", examples=["api"])
    time: Time = Field(description="When it was given.")
    trace_id: TraceId
    span_id: SpanId
    author: str | None = Field(description="Who gave it.")

    @classmethod
    def of(cls, score: StoredScore) -> Self:
        """The score as it is stored."""
        return cls(
            id=f"{score.id:032x}",
            name=score.name,
            value=score.value,
            label=score.label,
            comment=score.comment,
            source=score.source,
            time=format_time(score.time),
            trace_id=trace_hex(score.trace_id) if score.trace_id else None,
            span_id=span_hex(score.span_id) if score.span_id else None,
            author=score.author,
        )


class Annotation(BaseModel):
    """A remark on a session, or on a trace or a span of it."""

    id: str = Field(description="The id of the annotation, 32 hexadecimal digits.")
    text: str = Field(description="The remark.")
    time: Time = Field(description="When it was given.")
    trace_id: TraceId
    span_id: SpanId
    author: str | None = Field(description="Who gave it.")

    @classmethod
    def of(cls, annotation: StoredAnnotation) -> Self:
        """The annotation as it is stored."""
        return cls(
            id=f"{annotation.id:032x}",
            text=annotation.text,
            time=format_time(annotation.time),
            trace_id=trace_hex(annotation.trace_id) if annotation.trace_id else None,
            span_id=span_hex(annotation.span_id) if annotation.span_id else None,
            author=annotation.author,
        )
