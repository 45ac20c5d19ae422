"""How a line of `jsonl` says what it is."""

from __future__ import annotations

from typing import Final

KIND: Final = "Record"
"""The first member of a line."""

SPAN_LINE: Final = "span"
LOG_LINE: Final = "log"
