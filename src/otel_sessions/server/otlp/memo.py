"""`Memo`: what was read of short byte strings that come again and again, such as the attributes of an app's spans."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Memo(dict[bytes, T]):
    """A bounded cache of a function of bytes: `memo[raw]` is what the function returns for `raw`.

    A `dict` with `__missing__`, because a hit then costs no call. Threads may share it.
    """

    def __init__(self, read: Callable[[bytes], T], *, longest: int, size: int = 4_096) -> None:
        """Remember what a function returns.

        Args:
            read: the function. Errors that it raises are passed on and not remembered.
            longest: bytes of the longest key that is remembered.
            size: the number of keys that are remembered. One more empties the memo, which costs less than keeping an
                order in which they were used.
        """
        super().__init__()
        self._read = read
        self._longest = longest
        self._size = size

    def __missing__(self, raw: bytes) -> T:
        """Call the function, and remember what it returns if the key is short."""
        found = self._read(raw)
        if len(raw) <= self._longest:
            if len(self) >= self._size:
                self.clear()
            self[raw] = found
        return found
