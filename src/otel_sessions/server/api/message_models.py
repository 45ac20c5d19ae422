"""A message of a conversation, as the API answers with it."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, Field

from otel_sessions.content.message import Message as Told
from otel_sessions.conversation.lines import Line
from otel_sessions.conversation.shown import LONGEST, shown_line
from otel_sessions.server.api.call_models import Call
from otel_sessions.server.api.models import Time


class Fork(BaseModel):
    """Where a branch begins."""

    index: int | None = Field(description="The index of the message that it goes on from; null if it is not known.")
    kind: str = Field(
        description="`fork` (the input goes on from an earlier message), `compaction` (what was said before was summed up) or `sub_agent`."
    )


class Message(BaseModel):
    """One message of a conversation, told once, when it was new. What is not known is null."""

    index: int = Field(description="Its place in the conversation, from 0.")
    turn: int = Field(description="The number of the turn, from 0: what one message of a user set off.")
    trace_id: str | None = Field(
        description="The trace id, 32 hexadecimal digits; null for a log record in no trace.",
        examples=["0af7651916cd43dd8448eb211c80319c"],
    )
    span_id: str = Field(
        description="The span id, 16 hexadecimal digits; for a log record, a number computed of what it says."
    )
    time: Time = Field(description="When it was new.")
    role: str = Field(description="`system`, `user`, `assistant` or `tool`.")
    lane: str | None = Field(description="The sub-agent; null for the main agent.")
    branch: int = Field(description="0 for the main line, else the number of the branch.")
    fork: Fork | None = Field(description="On the first message of a branch: where it begins.")
    parts: list[dict[str, Any]] = Field(
        description=(
            "What it says: `text` and `reasoning` with `content`; `tool_call` with `id`, `name` and `arguments`; `tool_call_response` with "
            "`id` and `content`; `media` with `modality`, `mime_type`, `uri` and `size`; `other` with `content`. Empty if its content was not "
            "captured."
        )
    )
    content: str | None = Field(description="`not captured` if its content was not sent or was deleted, else null.")
    switch: str | None = Field(description="What has the emitter send content, if it was not captured.")
    size: int = Field(description="The number of characters of all its parts.")
    truncated: bool = Field(
        description=f"True if a part is longer than {LONGEST:,} characters and cut; the whole message is at `/messages/{{index}}`."
    )
    call: Call | None = Field(description="The call that a model's answer is of.")

    @classmethod
    def of(cls, line: Line, told: Told | None, *, longest: int | None = LONGEST) -> Self:
        """A message as it was read; no part is cut if `longest` is `None`."""
        return cls.model_validate(shown_line(line, told, longest=longest))
