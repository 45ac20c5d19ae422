"""`transcript`: the messages of a session as a conversation to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from otel_sessions.cli.output import as_json
from otel_sessions.cli.shown import amount, clock, day_of, duration, number
from otel_sessions.cli.styles import cells, lines_of, shortened, styled
from otel_sessions.cli.tables import cell

Item = Mapping[str, Any]

LINES: Final = 20
"""How many lines of a part are shown unless all are wanted."""

NOT_CAPTURED: Final = "not captured"
MAIN: Final = "main"
"""Names the lane of the main agent."""

_INDENT: Final = "  "
_COLOURS: Final = {"user": ("bold", "cyan"), "assistant": ("bold", "green"), "tool": ("yellow",), "system": ("faint",)}
_ARROWS: Final = {"tool_call": "→ ", "tool_call_response": "← ", "reasoning": "~ "}
"""What begins a part that is no plain text; tells parts apart without colours."""


def transcript(messages: Iterable[Item], *, width: int, full: bool) -> Iterator[str]:
    """The lines of a conversation, with a heading for each turn and each branch.

    Args:
        messages: as the API answers with them, in their order.
        width: of the terminal.
        full: whether long parts are shown to their end.
    """
    turn = day = None
    branch = 0
    tools: dict[Any, str] = {}
    for message in messages:
        if message.get("turn") != turn:
            turn = message.get("turn")
            today = day_of(message.get("time"))
            yield from _heading(f"turn {turn}", clock(message.get("time"), day=today != day), width)
            day = today
        if (message.get("branch") or 0) != branch:
            branch = message.get("branch") or 0
            yield styled(shortened(_branch(message, branch), width), "magenta")
        yield from _head(message, width)
        yield from _body(message, tools, width, full=full)


def words(message: Item) -> str:
    """What a message says in one text, as lines with tabs have it."""
    if not message.get("parts"):
        return _not_captured(message) if message.get("content") == NOT_CAPTURED else ""
    return "\n".join(_ARROWS.get(str(part.get("type")), "") + _words(part, {}) for part in message["parts"])


def _heading(title: str, time: str, width: int) -> Iterator[str]:
    yield ""
    text = f"── {title} · {time} "
    yield styled(shortened(text + "─" * max(0, width - cells(text)), width), "bold")


def _branch(message: Item, branch: int) -> str:
    if not branch:
        return "── back on the main line"
    fork = message.get("fork") or {}
    kind = str(fork.get("kind") or "").replace("_", "-")
    after = fork.get("index")
    return f"── branch {branch}{kind and f', a {cell(kind)}'}{'' if after is None else f' after #{after}'}"


def _head(message: Item, width: int) -> Iterator[str]:
    role = str(message.get("role") or "unknown")
    call = message.get("call") or {}
    exact = call.get("cost_exact") is not False
    facts = [
        cell(str(message["lane"])) if message.get("lane") else "",
        cell(str(call["model"])) if call.get("model") else "",
        amount(call["total_cost"], exact=exact) if call.get("total_cost") is not None else "",
        duration(call["duration_ms"]) if call.get("duration_ms") is not None else "",
        f"{number(call['input_tokens'])} in" if call.get("input_tokens") is not None else "",
        f"{number(call['output_tokens'])} out" if call.get("output_tokens") is not None else "",
    ]
    name = shortened(cell(role), width)
    failed = " · failed" if call.get("failed") else ""
    rest = " · ".join(["", f"#{message.get('index')}", clock(message.get("time"), day=False), *filter(None, facts)])
    shown = shortened(rest, width - cells(name) - len(failed))
    failed = shortened(failed, width - cells(name) - cells(shown))
    yield styled(name, *_COLOURS.get(role, ())) + styled(shown, "faint") + styled(failed, "red")


def _body(message: Item, tools: dict[Any, str], width: int, *, full: bool) -> Iterator[str]:
    parts = message.get("parts") or []
    if not parts and message.get("content") == NOT_CAPTURED:
        for line in lines_of(f"({_not_captured(message)})", width - len(_INDENT)):
            yield _INDENT + styled(line, "faint")
    for part in parts:
        kind = str(part.get("type"))
        if kind == "tool_call" and part.get("id") is not None:
            tools[str(part["id"])] = str(part.get("name") or "")
        arrow = _ARROWS.get(kind, "")
        styles = {"reasoning": ("faint",), "tool_call": ("yellow",), "media": ("magenta",)}.get(kind, ())
        lines = list(lines_of(_words(part, tools, pretty=full), width - len(_INDENT) - len(arrow)))
        shown = lines if full or len(lines) <= LINES + 1 else lines[:LINES]
        for place, line in enumerate(shown):
            yield f"{_INDENT}{arrow if not place else ' ' * len(arrow)}{styled(line, *styles)}"
        if len(shown) < len(lines):
            left = f"… {len(lines) - len(shown):,} more lines; --full shows them"
            yield _INDENT + styled(shortened(left, width - len(_INDENT)), "faint")
    if message.get("truncated") and not full:
        size = message.get("size")
        left = f"… cut{'' if size is None else f', {number(size)} characters in all'}; --full shows them"
        yield _INDENT + styled(shortened(left, width - len(_INDENT)), "faint")


def _words(part: Item, tools: Mapping[Any, str], *, pretty: bool = False) -> str:
    kind = part.get("type")
    if kind == "tool_call":
        arguments = part.get("arguments")
        return f"{part.get('name') or '?'}{'' if arguments is None else f' {_value(arguments, pretty=pretty)}'}"
    if kind == "tool_call_response":
        name = tools.get(str(part.get("id")))
        return f"{(name and f'{name}: ') or ''}{_value(part.get('content'), pretty=pretty)}"
    if kind == "media":
        size = part.get("size")
        about = [part.get("modality") or "media", part.get("mime_type"), part.get("uri")]
        return (
            f"[{', '.join([str(one) for one in about if one] + ([] if size is None else [f'{number(size)} bytes']))}]"
        )
    return _value(part.get("content"), pretty=pretty)


def _value(value: Any, *, pretty: bool) -> str:
    """A text as it is, any other value as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else as_json(value, indent=2 if pretty else None)


def _not_captured(message: Item) -> str:
    switch = message.get("switch")
    return f"{NOT_CAPTURED}{f'; to capture it: {switch}' if switch else ''}"
