"""One attribute as it is on the wire, a serialized `KeyValue`."""

from __future__ import annotations

from typing import Final

SHORT: Final = 131
"""A `KeyValue` of this many bytes or fewer has no length over 127 in it, so that every length is one byte. Only these are
remembered: most attributes of an app are short and come again and again."""

REMEMBERED: Final = 16_384
"""How many attributes are remembered of all requests."""

_TAG_1: Final = 0x0A
_TAG_2: Final = 0x12
"""How fields 1 and 2 begin when they have a length: `key` and `value` of `KeyValue`, `string_value` of `AnyValue`."""


def end_of_key(raw: bytes) -> int | None:
    """Where the key ends in an attribute that is a short ASCII string, as most are; `None` for any other attribute.

    The key is then `raw[2:end]`, the value `raw[end + 4:]`, each after the byte that is its length. Taking it apart in
    this way costs a third of what message objects cost.
    """
    size = len(raw)
    if size > SHORT:
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
