"""`bytes_of`, `retention_of`: how sizes and retention are written in settings."""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import ByteSize, Field, TypeAdapter, ValidationError

_SIZE: Final = TypeAdapter(Annotated[ByteSize, Field(gt=0, lt=2**63)])
_WHOLE_SIZE: Final = re.compile(ByteSize.byte_string_pattern + r"\s*", re.IGNORECASE)
"""`ByteSize` itself ignores whatever follows the unit, such as `/day` in `1GB/day`."""

_DAYS: Final = re.compile(r"(\d{1,5})\s*d", re.IGNORECASE)


class Retention(NamedTuple):
    """How much is kept; what is over either bound is dropped, oldest first.

    Attributes:
        days: since a trace ended; `None` for ever.
        bytes: of the store on disk; `None` without bound.
    """

    days: int | None = None
    bytes: int | None = None

    @property
    def shown(self) -> str | None:
        """The bounds as they can be given, sizes in bytes; `None` without any."""
        bounds = [f"{bound}{unit}" for bound, unit in ((self.days, "d"), (self.bytes, "B")) if bound is not None]
        return ",".join(bounds) or None


def bytes_of(written: str | int) -> int:
    """A number of bytes: `1000`, `256MB` (of 1000 * 1000) or `256MiB` (of 1024 * 1024).

    Raises:
        ValueError: it is not a size, or not from 1 to 2^63 - 1 bytes.
    """
    text = str(written)
    try:
        if _WHOLE_SIZE.fullmatch(text):
            return int(_SIZE.validate_python(text))
    except ValidationError:
        pass
    raise ValueError(f"{written!r} is not a size of 1 byte or more; write it like 256MB, 20GB or 1.5TiB")


def retention_of(written: str) -> Retention:
    """Days, a size with its unit, or both: `30d`, `20GB`, `30d,20GB`.

    Raises:
        ValueError: it is not written so.
    """
    days: int | None = None
    size: int | None = None
    for part in map(str.strip, str(written).split(",")):
        found = _DAYS.fullmatch(part)
        if found is not None and days is None and int(found[1]) > 0:
            days = int(found[1])
        elif found is None and size is None and part[-1:].isalpha():
            size = _size_in(written, part)
        else:
            raise _not_a_retention(written)
    return Retention(days, size)


def _size_in(written: str, part: str) -> int:
    try:
        return bytes_of(part)
    except ValueError:
        raise _not_a_retention(written) from None


def _not_a_retention(written: str) -> ValueError:
    return ValueError(f"{written!r} is not a retention; write days, a size, or both, like 30d or 20GB or 30d,20GB")
