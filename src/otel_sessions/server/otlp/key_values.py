"""One attribute as it is on the wire, a serialized `KeyValue`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

SHORT: Final = 132
"""A `KeyValue` of fewer bytes has no length over 127 in it, so that every length is one byte."""

REMEMBERED: Final = 16_384

_TAG_1: Final = 0x0A
_TAG_2: Final = 0x12
"""How fields 1 and 2 begin when they have a length: `key` and `value` of `KeyValue`, `string_value` of `AnyValue`."""


def end_of_key(raw: bytes) -> int | None:
    """Where the key of an attribute ends that is a short string of ASCII, as most are; `None` for any other.

    The key is then `raw[2:end]`, the value `raw[end + 4:]`, each after the byte that is its length. Taking it apart in
    this way costs a third of what message objects cost.
    """
    size = len(raw)
    if size >= SHORT:
        return None
    try:
        end = raw[1] + 2
        if (
            raw[0] == _TAG_1
            and raw[end] == _TAG_2
            and raw[end + 1] + end + 2 == size
            and raw[end + 2] == _TAG_1
            and raw[end + 3] + end + 4 == size
            and raw.isascii()
        ):
            return end
    except IndexError:
        pass
    return None


class Remembered(dict[bytes, T]):
    """What was read of serialized attributes, short ones: most of an app come again and again."""

    def __init__(self, read: Callable[[bytes], T]) -> None:
        """Read what is not remembered in this way."""
        super().__init__()
        self._read = read

    def __missing__(self, raw: bytes) -> T:
        """Read it; remember it, within bounds of number and length."""
        found = self._read(raw)
        if len(raw) < SHORT:
            if len(self) >= REMEMBERED:
                self.clear()
            self[raw] = found
        return found
