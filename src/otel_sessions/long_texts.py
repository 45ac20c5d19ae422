"""`cut`: a text that is bounded, and says how long it was."""

from __future__ import annotations


def cut(text: str, length: int) -> str:
    """The text, or if it is longer its beginning and its length, together of `length` characters.

    Example:
        >>> cut("a" * 10_485_760, 30)
        'aaaaaaa… (10485760 characters)'
    """
    if len(text) <= length:
        return text
    mark = f"… ({len(text)} characters)"
    return text[: max(0, length - len(mark))] + mark
