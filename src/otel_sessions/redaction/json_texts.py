"""`strings_replaced`: the strings in a text of JSON replaced in their places, with every other character as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)

Replace = Callable[[str, str | None, str | None], str]
"""From a string, the name that it stands under, and the kind of the secret that it is a part of, to what replaces it."""


def strings_replaced(text: str, replace: Replace, kind_of: Callable[[object], str | None]) -> str:
    """The text with the strings that are values replaced; names stay.

    Args:
        text: is JSON.
        replace: called with each value that is a string.
        kind_of: the kind of secret that stands under a name.
    """
    parts: list[str] = []
    at = 0
    levels: list[tuple[bool, str | None, str | None]] = []
    """Of each container: whether it is an object, the name that it stands under, and the kind of secret that it is a part of."""
    name: str | None = None
    is_name = False
    for token in _TOKEN.finditer(text):
        mark = token[0][0]
        if mark in "{[":
            above, kind = (levels[-1][1], levels[-1][2]) if levels else (None, None)
            under = name if levels and levels[-1][0] else above
            levels.append((mark == "{", under, kind or kind_of(under)))
            is_name = mark == "{"
        elif mark in "}]":
            levels.pop()
            is_name = False
        elif mark == ",":
            is_name = levels[-1][0]
        elif mark == ":":
            is_name = False
        elif is_name:
            name = json.loads(token[0], strict=False)
        else:
            in_object, under, kind = levels[-1]
            value = json.loads(token[0], strict=False)
            replaced = replace(value, name if in_object else under, kind)
            if replaced != value:
                parts += [text[at : token.start()], json.dumps(replaced, ensure_ascii=not _is_plain(replaced))]
                at = token.end()
    return "".join([*parts, text[at:]])


def _is_plain(text: str) -> bool:
    """Return True if a text can be written as UTF-8: it has no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
