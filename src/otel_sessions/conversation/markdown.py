"""`as_markdown`: a conversation as a text to read, piece by piece.

What was said is quoted, and what tools were given and answered stands in code blocks, so that no text of a message can pass for a part of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from otel_sessions.content.message import (
    Media,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResponse,
)
from otel_sessions.conversation.lines import COMPACTION, MAIN, SUB_AGENT, Line
from otel_sessions.conversation.shown import as_text
from otel_sessions.counting.model_call import ModelCall
from otel_sessions.money import shown_money
from otel_sessions.timestamps import format_time

_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
"""Characters that move a terminal's cursor, or end a line, as people can read them."""

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#&|~!])")
_RUN: Final = re.compile(r"`+")
_SHORTEST_FENCE: Final = 3

_KINDS: Final = {COMPACTION: "what was said before was summed up", SUB_AGENT: "a sub-agent"}


def as_markdown(title: str, told: Iterable[tuple[Line, Message | None]]) -> Iterator[str]:
    """The pieces of a document, which are written one after the other.

    Args:
        title: of the document.
        told: the lines of a conversation with their messages; `None` for one that is not known.
    """
    yield f"# {_inline(title)}\n"
    latest = turn = -1
    for line, message in told:
        if line.turn != turn:
            turn = line.turn
            more = ", continued" if turn <= latest else ""
            latest = max(latest, turn)
            yield f"\n## Turn {turn + 1}{more}\n"
        yield "\n" + "\n\n".join(_blocks(line, message)) + "\n"


def _blocks(line: Line, message: Message | None) -> Iterator[str]:
    if line.fork is not None:
        yield f"*{_begins(line)}*"
    where = "" if line.branch == MAIN else f", branch {line.branch}"
    who = "" if line.lane is None else f", {_code(line.lane)}"
    yield f"### {line.index} {line.role}{who}{where}"
    facts = [format_time(line.time), *(_facts(line.call) if line.call is not None else ())]
    yield f"*{' · '.join(facts)}*"
    if message is not None:
        for part in message.parts:
            yield _shown(part)
    elif line.digest is not None or not line.captured:
        how = "" if line.switch is None else f" To capture it: {_code(line.switch)}"
        yield f"*Content was not captured.*{how}"


def _begins(line: Line) -> str:
    assert line.fork is not None
    index, kind = line.fork
    after = "begins again" if index is None else f"goes on from {index}"
    why = f" ({_KINDS[kind]})" if kind in _KINDS else ""
    return f"Branch {line.branch} {after}{why}"


def _facts(call: ModelCall) -> Iterator[str]:
    if call.model is not None:
        yield _code(call.model)
    if call.total_tokens is not None:
        yield f"{call.total_tokens:,} tokens"
    if call.total_cost is not None:
        yield f"{'' if call.cost_exact else 'at least '}{_dollars(call.total_cost)}"
    yield f"{call.duration_ms / 1_000:.1f} s"
    if call.failed:
        yield "failed"


def _dollars(cost: Decimal) -> str:
    return f"${shown_money(cost)}"


def _shown(part: Part) -> str:
    match part:
        case Text():
            return _quoted(part.content)
        case Reasoning():
            return f"*Reasoning*\n\n{_quoted(part.content)}"
        case ToolCall():
            return f"Tool call {_code(part.name)}\n\n{_block(part.arguments)}"
        case ToolResponse():
            return f"Tool answer\n\n{_block(part.content)}"
        case Media():
            about = [part.mime_type, part.uri, None if part.size is None else f"{part.size:,} bytes"]
            return " ".join([f"*{part.modality}*".replace("\n", " "), *(_code(one) for one in about if one)])
        case _:
            return _block(part.content)


def _plain(text: str) -> str:
    """A text with no character that does more than stand for itself."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in _plain(text).split("\n"))


def _block(value: Any) -> str:
    """A value in a code block, behind a fence that is longer than any in it."""
    text = _plain(as_text(value))
    fence = "`" * max(_SHORTEST_FENCE, 1 + max((len(run) for run in _RUN.findall(text)), default=0))
    return f"{fence}{'' if isinstance(value, str) else 'json'}\n{text}\n{fence}"


def _line_of(text: str) -> str:
    return " ".join(_plain(text).split())


def _code(text: str) -> str:
    """A text on one line as code."""
    shown = _line_of(text)
    fence = "`" * (1 + max((len(run) for run in _RUN.findall(shown)), default=0))
    pad = " " if shown[:1] == "`" or shown[-1:] == "`" or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _inline(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _line_of(text))
