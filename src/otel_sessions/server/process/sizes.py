"""`bytes_of`, `retention_of`: how sizes and retention are written in settings."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_DAYS: Final = re.compile(r"(\d{1,5})\s*d", re.IGNORECASE)
_POWERS: Final = ("", "k", "m", "g", "t")
_LARGEST: Final = 2**63 - 1


class Retention(NamedTuple):
    """How much is kept; what is over either bound is dropped, oldest first.

    Attributes:
        days: since a trace ended; `None` for ever.
        bytes: of the store on disk; `None` without bound.
    """

    days: int | None = None
    bytes: int | None = None


def bytes_of(written: str | int) -> int:
    """A number of bytes: `1000`, `256MB` (of 1000 * 1000) or `256MiB` (of 1024 * 1024).

    Raises:
        ValueError: it is not written so, or it is 0.
    """
    found = _SIZE.fullmatch(str(written).strip())
    if found is None or (found[3] and not found[2]):
        raise ValueError(f"{written!r} is no size; write it like 256MB, 20GB or 1.5TiB")
    number = int(float(found[1]) * (1024 if found[3] else 1000) ** _POWERS.index(found[2].lower()))
    if not 0 < number <= _LARGEST:
        raise ValueError(f"{written!r} is out of range; write a size of 1 byte or more, like 256MB")
    return number


def retention_of(written: str) -> Retention:
    """Days, a size, or both: `30d`, `20GB`, `30d,20GB`.

    Raises:
        ValueError: it is not written so.
    """
    days: int | None = None
    size: int | None = None
    for part in str(written).split(","):
        found = _DAYS.fullmatch(part.strip())
        if found is not None and days is None and int(found[1]) > 0:
            days = int(found[1])
        elif found is None and size is None and _SIZE.fullmatch(part.strip()) and not part.strip().isdecimal():
            size = bytes_of(part)
        else:
            raise ValueError(f"{written!r} is no retention; write days, a size, or both, like 30d or 20GB or 30d,20GB")
    return Retention(days, size)
