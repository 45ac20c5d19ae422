"""Which times the tables can hold, in nanoseconds UTC; what is later is stored as the last of them."""

from __future__ import annotations

from typing import Final

LATEST_PARTITION: Final = 2**32 * 10**9 - 1
"""The last moment of February 7th, 2106, 06:28:15: spans are stored in the order of a `DateTime`, which starts anew in 1970
after that."""

LATEST: Final = 2**63 - 1
"""The last moment of a `DateTime64(9)`, in April 2262."""
