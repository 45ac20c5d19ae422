"""`Message` and its parts: the one form that the messages of all dialects are read into."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SYSTEM: Final = "system"
USER: Final = "user"
ASSISTANT: Final = "assistant"
TOOL: Final = "tool"
ROLES: Final = (SYSTEM, USER, ASSISTANT, TOOL)


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    content: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What a model thought before it answered."""

    content: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model asks for a tool.

    Attributes:
        id: the id of the call; `None` if the dialect has none.
        name: the name of the tool.
        arguments: a JSON value: an object, or the text itself if it is no JSON.
    """

    id: str | None
    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class ToolResponse:
    """What a tool answered.

    Attributes:
        id: the id of the call that it answers; `None` if the dialect has none.
        content: a JSON value, or a text.
    """

    id: str | None
    content: Any


@dataclass(frozen=True, slots=True)
class Media:
    """A placeholder for an image, a file, audio or video.

    Attributes:
        modality: `image`, `audio`, `video`, `document` or `file`.
        mime_type: such as `image/png`; `None` if it is not known.
        uri: where it is; `None` for one that was sent inline, whose bytes are not kept.
        size: bytes of what was sent inline; `None` if it is not known.
    """

    modality: str
    mime_type: str | None = None
    uri: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Other:
    """Anything else, as it came: a JSON value."""

    content: Any


Part = Text | Reasoning | ToolCall | ToolResponse | Media | Other


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        role: one of `ROLES`.
        parts: in their order. A message of role `tool` has one part, a `ToolResponse`.

    Example:
        >>> Message("user", (Text("Weather?"),)).to_dict()
        {'role': 'user', 'parts': [{'type': 'text', 'content': 'Weather?'}]}
    """

    role: str
    parts: tuple[Part, ...]

    def to_dict(self) -> dict[str, Any]:
        """The message as JSON carries it."""
        return {"role": self.role, "parts": [shown(part) for part in self.parts]}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Message:
        """The message of what `to_dict` returned."""
        return cls(told["role"], tuple(_part(part) for part in told["parts"]))

    @property
    def digest(self) -> int:
        """64 bits of all that it says: equal messages have the same."""
        return _digest([self.role, [shown(part) for part in self.parts]])

    @property
    def likeness(self) -> int:
        """64 bits of what it says however it is told: the same for an answer as the model gave it, and as the next call repeats it.

        It leaves out reasoning, ids, and blanks around texts.
        """
        return _digest([self.role, [one for part in self.parts if (one := _core(part)) is not None]])

    @property
    def text(self) -> str:
        """Its words: the texts of its parts, without reasoning, in lines."""
        return "\n".join(part.content for part in self.parts if isinstance(part, Text) and part.content)


def shown(part: Part) -> dict[str, Any]:
    """A part as JSON carries it."""
    match part:
        case Text():
            return {"type": "text", "content": part.content}
        case Reasoning():
            return {"type": "reasoning", "content": part.content}
        case ToolCall():
            return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": part.arguments}
        case ToolResponse():
            return {"type": "tool_call_response", "id": part.id, "content": part.content}
        case Media():
            return {
                "type": "media",
                "modality": part.modality,
                "mime_type": part.mime_type,
                "uri": part.uri,
                "size": part.size,
            }
        case Other():
            return {"type": "other", "content": part.content}


def _part(told: Mapping[str, Any]) -> Part:
    match told["type"]:
        case "text":
            return Text(told["content"])
        case "reasoning":
            return Reasoning(told["content"])
        case "tool_call":
            return ToolCall(told["id"], told["name"], told["arguments"])
        case "tool_call_response":
            return ToolResponse(told["id"], told["content"])
        case "media":
            return Media(told["modality"], told["mime_type"], told["uri"], told["size"])
        case _:
            return Other(told["content"])


def _core(part: Part) -> list[Any] | None:
    """What tells a part from others, however it is told; `None` for one that a repetition may lack."""
    match part:
        case Reasoning():
            return None
        case Text():
            text = part.content.strip()
            return ["text", text] if text else None
        case ToolCall():
            return ["tool_call", part.name, part.arguments]
        case ToolResponse():
            return ["tool_call_response", part.content]
        case Media():
            return ["media", part.modality, part.uri, part.size]
        case Other():
            return ["other", part.content]


def _digest(value: Any) -> int:
    written = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return int.from_bytes(hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=8).digest())
