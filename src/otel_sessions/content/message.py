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
        return self.ids[0]

    @property
    def likeness(self) -> int:
        """64 bits of what it says however it is told: the same for an answer as the model gave it, and as the next call repeats it.

        It leaves out reasoning, ids, and blanks around texts.
        """
        return self.ids[1]

    @property
    def ids(self) -> tuple[int, int]:
        """`digest` and `likeness`: to ask for both takes hardly longer than for one, since most messages have nothing to leave out."""
        whole: list[str] = []
        core: list[str] = []
        for part in self.parts:
            if isinstance(part, Text):
                text = part.content
                said = text.strip()
                whole.append(f"t{len(text)}:{text}")
                if said:
                    core.append(f"t{len(said)}:{said}")
            else:
                _tell(part, whole, core)
        digest = _digest(self.role, whole)
        return digest, digest if core == whole else _digest(self.role, core)

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
        case _:
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


def _tell(part: Part, whole: list[str], core: list[str]) -> None:
    """Add all that a part says, and what tells it from others however it is told. Each field has its length or is JSON."""
    match part:
        case Reasoning():
            whole.append(f"r{len(part.content)}:{part.content}")
        case ToolCall():
            asked = f"{len(part.name)}:{part.name}{_json(part.arguments)}"
            whole.append(f"c{_json(part.id)}{asked}")
            core.append(f"c{_json(None)}{asked}")
        case ToolResponse():
            answered = _json(part.content)
            whole.append(f"a{_json(part.id)}{answered}")
            core.append(f"a{_json(None)}{answered}")
        case Media():
            whole.append(f"m{_json([part.modality, part.mime_type, part.uri, part.size])}")
            core.append(f"m{_json([part.modality, None, part.uri, part.size])}")
        case _:
            whole.append(f"o{_json(part.content)}")
            core.append(whole[-1])


def _json(value: Any) -> str:
    """A JSON value with its length; a text is not quoted, which would take longest."""
    if isinstance(value, str):
        return f"{len(value)}:{value}"
    return f"j{_ENCODER.encode(value)}" if value is not None else "-"


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def _digest(role: str, told: list[str]) -> int:
    written = f"{role}:{''.join(told)}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(written, digest_size=8).digest())
