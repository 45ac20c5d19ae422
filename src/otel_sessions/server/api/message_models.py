"""A message of a conversation, as the API answers with it."""

from __future__ import annotations

import json
from typing import Any, Self

from pydantic import BaseModel, Field

from otel_sessions.content.message import Message as Told
from otel_sessions.conversation.lines import Line
from otel_sessions.server.api.call_models import Call
from otel_sessions.server.api.models import Time
from otel_sessions.timestamps import format_time

LONGEST = 20_000
"""Characters of a part that a page shows."""

NOT_CAPTURED = "not captured"


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
        parts = [] if told is None else told.to_dict()["parts"]
        sizes = [_size(part) for part in parts]
        shown = [part if longest is None else _cut(part, longest) for part in parts]
        return cls(
            index=line.index,
            turn=line.turn,
            trace_id=None if line.trace_id is None else f"{line.trace_id:032x}",
            span_id=f"{line.span_id:016x}",
            time=format_time(line.time),
            role=line.role,
            lane=line.lane,
            branch=line.branch,
            fork=None if line.fork is None else Fork(index=line.fork[0], kind=line.fork[1]),
            parts=shown,
            content=NOT_CAPTURED if told is None and (line.digest is not None or not line.captured) else None,
            switch=line.switch,
            size=sum(sizes),
            truncated=longest is not None and any(size > longest for size in sizes),
            call=None if line.call is None else Call.of(line.call),
        )


_CONTENT = ("content", "arguments")


def _size(part: dict[str, Any]) -> int:
    """The number of characters of what a part says."""
    return sum(len(_text(part[name])) for name in _CONTENT if name in part)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(part: dict[str, Any], longest: int) -> dict[str, Any]:
    """The part with its content cut; a value that is too long becomes the beginning of its JSON."""
    return {
        name: text[:longest] if name in _CONTENT and len(text := _text(value)) > longest else value
        for name, value in part.items()
    }
