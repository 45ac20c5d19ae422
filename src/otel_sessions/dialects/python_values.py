"""`python_value`: what a text holds that is Python's way to write a list or a dict: `[{'role': 'user', 'content': None}]`.

Some instrumentations write `str(messages)` where JSON is meant. `ast.literal_eval` would take many times the size of the text, and warn of
some texts; this reads texts that anybody sent.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_BEGINNING: Final = re.compile(r"\s*\[?\s*\{\s*'")
_TOKEN: Final = re.compile(
    r"""'([^'\\]*+(?:\\.[^'\\]*+)*+)'|"([^"\\]*+(?:\\.[^"\\]*+)*+)"|(None|True|False)|([^'"NTF]+|[NTF])|(.)""",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U000[0-9a-f]{5}|U0010[0-9a-f]{4}|.)", re.DOTALL)
_WORDS: Final = {"None": "null", "True": "true", "False": "false"}
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "'": "'", '"': '"', "\\": "\\"}


def python_value(text: str) -> Any:
    """The list or dict that the text holds in Python's notation; `None` if it holds none, or holds more than JSON can.

    Example:
        >>> python_value("[{'role': 'user', 'content': None}]")
        [{'role': 'user', 'content': None}]
        >>> python_value("{'role': object()}") is None
        True
    """
    try:
        written = as_json(text)
        return None if written is None else json.loads(written)
    except (ValueError, RecursionError):
        return None


def as_json(text: str) -> str | None:
    """The text with Python's notation replaced by that of JSON, which may still be no JSON; `None` if it is no Python's notation."""
    if not _BEGINNING.match(text[:64]):
        return None
    written = []
    for token in _TOKEN.finditer(text):
        single, double, word, rest, quote = token.groups()
        if quote is not None:
            return None
        quoted = double if single is None else single
        if quoted is not None:
            written.append(json.dumps(_ESCAPE.sub(_unescaped, quoted)))
        else:
            written.append(rest if word is None else _WORDS[word])
    return "".join(written)


def _unescaped(escape: re.Match[str]) -> str:
    written: str = escape[1]
    return chr(int(written[1:], 16)) if len(written) > 1 else _ESCAPED.get(written, escape[0])
