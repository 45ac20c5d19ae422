"""`service_of_metrics`: the service that sent a request with metrics, read from its beginning, since metrics are not kept."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Final

BEGINNING: Final = 16 << 10
"""How many bytes of a request are looked at: its resource, which names the service, comes first."""

_NAME: Final = rb"service\.name"
# KeyValue {key: "service.name", value {string_value}}: each length of the value is one byte, so it has at most 125 bytes.
_IN_PROTOBUF: Final = re.compile(rb"\x0a\x0c" + _NAME + rb"\x12([\x02-\x7f])\x0a([\x00-\x7d])", re.DOTALL)
_IN_JSON: Final = re.compile(
    rb'"key"\s*:\s*"' + _NAME + rb'"\s*,\s*"value"\s*:\s*\{\s*"string_?[vV]alue"\s*:\s*("(?:[^"\\]|\\.){0,200}")'
)


def service_of_metrics(beginning: bytes) -> str:
    """The first service that the beginning of a request names, in protobuf or JSON; empty if it names no service.

    Args:
        beginning: of the decompressed request; may be cut anywhere.
    """
    found = _IN_PROTOBUF.search(beginning)
    if found is not None:
        length = found[2][0]
        name = beginning[found.end() : found.end() + length]
        return name.decode(errors="replace") if len(name) == length == found[1][0] - 2 else ""
    found = _IN_JSON.search(beginning)
    if found is not None:
        with suppress(ValueError):
            return str(json.loads(found[1]))
    return ""
