"""Sets of names, with one object for all equal sets of one name: each takes 216 bytes, and most traces share them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=8_192)
def only(name: str | None) -> frozenset[str]:
    """The set of this one name; for `None` the empty set."""
    return frozenset() if name is None else frozenset((name,))


def present(names: Iterable[str | None]) -> frozenset[str]:
    """The set of the names that are not `None`."""
    found = {name for name in names if name is not None}
    return only(found.pop()) if len(found) == 1 else frozenset(found)
