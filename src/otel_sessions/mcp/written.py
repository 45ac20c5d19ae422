r"""`written`: a value as JSON that shows no text as anything but text.

Stored text stands in JSON strings only, so it cannot end one. Characters that a reader does not see, or that change the order of what
it sees, are written as `\u202e` is here; reading the JSON gives them back.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

_NOT_PLAIN: Final = re.compile("[^\x20-\x7e\n]")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_EMOJI: Final = "\ufe0f"
"""Chooses the picture of a character; the other variation selectors are used to hide text."""


def written(value: Any) -> str:
    """A value as JSON on one line."""
    return _NOT_PLAIN.sub(_shown, json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))


def beginning(text: str, room: int) -> str:
    """The longest beginning of a text that takes at most `room` characters as JSON, and at least one character."""
    some = text[: max(1, room)]
    if len(written(some)) - 2 <= room:
        return some
    low, high = 1, len(some)
    while low < high:
        middle = (low + high + 1) // 2
        if len(written(some[:middle])) - 2 <= room:
            low = middle
        else:
            high = middle - 1
    return some[:low]


def _shown(found: re.Match[str]) -> str:
    return _of_character(found.group())


@lru_cache(maxsize=4096)
def _of_character(character: str) -> str:
    variation = unicodedata.name(character, "").startswith("VARIATION SELECTOR") and character != _EMOJI
    if unicodedata.category(character) in _HIDDEN or variation:
        return json.dumps(character)[1:-1]
    return character
