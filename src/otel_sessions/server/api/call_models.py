"""The list of a session's calls in the API."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field

from otel_sessions.counting.model_call import ModelCall
from otel_sessions.server.api.models import Money, Time


class Call(BaseModel):
    """A model call of a session, or what reports usage and is not counted. What is not known is null."""

    trace_id: str | None = Field(
        description="The trace id, 32 hexadecimal digits; null for a log record in no trace.",
        examples=["0af7651916cd43dd8448eb211c80319c"],
    )
    span_id: str = Field(
        description="The span id, 16 hexadecimal digits; for a log record, a number computed of what it says."
    )
    start: Time = Field(description="When the request was sent.")
    duration_ms: float = Field(
        description="Milliseconds until the answer was complete; 0 where a log record does not tell."
    )
    time_to_first_token_ms: float | None = Field(description="Milliseconds until the answer began.")
    provider: str | None = Field(description="The provider of the model.")
    model: str | None = Field(description="The model that answered, else the one that was asked for.")
    lane: str | None = Field(description="The sub-agent that made the call; null for the main agent.")
    operation: str = Field(description="The name of the span or of the event.")
    counted: bool = Field(description="True if the call is a part of the session's totals.")
    reason: str | None = Field(
        description=(
            "Why it is not counted: `covered_by_children` (spans or records below it report the same), `part_of_call` (a part of another "
            "call that reports nothing itself), `duplicate` (another span or record tells of the same call) or `cache_hit` (no model "
            "was called)."
        )
    )
    counted_as: str | None = Field(
        description="The `span_id` of the entry that is counted instead, if there is exactly one."
    )
    evidence: list[str] = Field(description="What tells of the call: `span`, `log`.")
    input_tokens: int | None = Field(description="Input tokens, including cache reads and writes.")
    output_tokens: int | None = Field(description="Output tokens, including reasoning.")
    cache_read_tokens: int | None = Field(description="Input tokens that were read from a cache.")
    cache_write_tokens: int | None = Field(description="Input tokens that were written to a cache.")
    reasoning_tokens: int | None = Field(description="Output tokens that were spent on reasoning.")
    total_tokens: int | None = Field(description="Input and output tokens.")
    input_cost: Money | None = Field(description="Cost of the input in USD.")
    output_cost: Money | None = Field(description="Cost of the output in USD.")
    total_cost: Money | None = Field(description="Cost in USD; null if the call is not counted.")
    cost_source: str | None = Field(description="Where the cost comes from.")
    cost_exact: bool = Field(description="False if the cost is not known, or only a lower bound.")
    cost_note: str | None = Field(description="Why the cost is not exact.")
    failed: bool = Field(description="True if the call failed.")
    cache: str | None = Field(
        description=(
            "Whether the prompt was in the provider's cache: `hit`, `expired` (its time to live was over), `prefix_changed` (it begins "
            "differently than before), `cold` (nothing was cached before) or `unknown`; null for what is not counted."
        )
    )
    rebuilt_tokens: int | None = Field(description="Tokens that had been cached before and were written again.")
    rebuilt_cost: Money | None = Field(description="What this cost more than to read them, in USD.")

    @classmethod
    def of(cls, call: ModelCall) -> Self:
        """The entry of a call."""
        return cls.model_validate(call.to_dict())
