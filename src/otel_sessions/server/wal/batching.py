"""`BatchPolicy`: when the committer takes the open segment. Pure: a clock value in, seconds to wait out."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class ReaderDemand:
    """What readers ask of the committer.

    Attributes:
        flush_requested: True if a reader waits for the open segment or one before it.
        last_wait: when a reader last began to wait.
        answers: the number of answers that are being made.
    """

    flush_requested: bool = False
    last_wait: float = -math.inf
    answers: int = 0


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """A segment is taken when it has enough rows, or when its first request is old enough. All times are in seconds.

    Large commits cost less per row. But a reader waits for the commit under way and for the one of its own requests, so
    while readers are expected, commits are smaller. While an answer is being made, a commit that no reader waits for
    would only slow the answer down, so segments then grow as if no readers were expected.

    Attributes:
        rows: enough rows.
        linger: the age that is old enough.
        linger_for_readers: the same while readers are expected and no answer is being made.
        readers_expected: how long after one reader another one is expected.
    """

    rows: int = 32_000
    linger: float = 0.6
    linger_for_readers: float = 0.2
    readers_expected: float = 2.0

    def seconds_left(self, rows: int, since: float, demand: ReaderDemand, now: float, not_before: float) -> float:
        """How long to wait before the open segment is taken; 0 or less to take it now.

        The segment has this many `rows`, its first request came at `since`, and the committer rests until `not_before`;
        only a reader that waits ends its rest.
        """
        if demand.flush_requested:
            return 0.0
        expected = now - demand.last_wait < self.readers_expected
        linger = self.linger_for_readers if expected and not demand.answers else self.linger
        return max(now if rows >= self.rows else since + linger, not_before) - now
