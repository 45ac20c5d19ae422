"""Texts that look random enough to be a secret."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

KIND: Final = "random_text"

SHORTEST, LONGEST = 32, 128
"""Characters. Shorter texts are ids as often as secrets, longer ones are images and other data."""

LEAST_BITS: Final = 4.3
"""Bits a character. Of 32 random characters of base64, all but one in a thousand have more; names of things have less."""

_RUN: Final = re.compile(
    r"(?<![A-Za-z0-9+/_=-])(?!\[redacted:)[A-Za-z0-9+/_-]{32,128}={0,2}(?![A-Za-z0-9+/_=-])", re.ASCII
)
_IDS: Final = ("chatcmpl-", "resp_", "msg_", "call_", "toolu_", "run_", "thread_", "req_", "asst_", "step_", "gen-")
"""How ids of model providers begin."""


def random_runs(text: str) -> list[re.Match[str]]:
    """The parts of a text that look random: with upper and lower case letters and digits, and no words."""
    if len(text) < SHORTEST:
        return []
    return [run for run in _RUN.finditer(text) if _is_random(run[0])]


def _is_random(run: str) -> bool:
    digits = sum(map(str.isdigit, run))
    if digits < 3 or not any(map(str.isupper, run)) or not any(map(str.islower, run)):
        return False
    if run.startswith(_IDS) or run.count("/") > 4 or run.count("-") > 4 or run.count("_") > 4:
        return False
    counts = Counter(run).values()
    size = len(run)
    return -sum(count / size * math.log2(count / size) for count in counts) >= LEAST_BITS
