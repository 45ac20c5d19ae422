"""Messages that are spread over attributes with numbers in their names, such as `gen_ai.prompt.0.role`, put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from otel_sessions.content.json_values import is_object
from otel_sessions.content.messages import is_message, message_of
from otel_sessions.content.shapes import told
from otel_sessions.content.spoken import Spoken

_LEVELS: Final = 16
"""How many parts of a name are told apart."""

_WRAPPERS: Final = ("message", "prompt", "completion")
"""OpenInference puts each message, prompt and completion into one of these."""


class _Node(dict[str, Any]):
    """What stands below a part of a name; the value of an attribute may be a plain object."""


def indexed(attributes: Mapping[str, Any], prefix: str, role: str) -> list[Spoken]:
    """The messages in the attributes whose names start with a prefix, which a number follows, in the order of the numbers.

    An empty text is what is left of one that was removed, so it says nothing.
    """
    tree = _Node()
    for name, value in attributes.items():
        if name.startswith(prefix) and value != "":
            number, *path = name[len(prefix) :].split(".", _LEVELS)
            if path and _is_number(number):
                _put(tree, (number, *path), value)
    messages = _lists(tree)
    return [spoken for one in (messages if isinstance(messages, list) else ()) for spoken in _message(one, role)]


def _message(given: Any, role: str) -> list[Spoken]:
    if not is_object(given):
        return told(given, role, depth=1)
    for name in _WRAPPERS:
        inner = given.get(name)
        if is_object(inner):
            given = inner
    if is_message(given) or "content" in given or "tool_calls" in given or "function_call" in given:
        return [message_of(given, role)]
    return told(given, role, depth=1)


def _put(tree: _Node, path: Iterable[str], value: Any) -> None:
    *parents, last = path
    for name in parents:
        inner = tree.setdefault(name, _Node())
        if not isinstance(inner, _Node):
            return
        tree = inner
    tree.setdefault(last, value)


def _lists(node: _Node) -> dict[str, Any] | list[Any]:
    """The tree, with a list in place of each object whose names are numbers."""
    inner = {name: _lists(one) if isinstance(one, _Node) else one for name, one in node.items()}
    if inner and all(map(_is_number, inner)):
        return [inner[name] for name in sorted(inner, key=lambda name: (len(name), name))]
    return inner


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal()
