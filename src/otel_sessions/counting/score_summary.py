"""`summaries`: the scores of a session by name, those on itself, on its traces and on its spans apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from otel_sessions.counting.score import LEVELS

NAMES_KEPT: Final = 1_000
"""Names of scores that a session shows, the first in alphabetical order."""


class Told(NamedTuple):
    """Some equal scores of one session.

    Attributes:
        level: what they are on, one of the numbers of `LEVELS`.
        name: their name.
        value: their value.
        label: their label.
        number: how many there are.
        latest: time and id of the last of them.
    """

    level: int
    name: str
    value: float | None
    label: str | None
    number: int
    latest: tuple[int, int]


def summaries(scores: Iterable[Told]) -> dict[str, dict[str, Any]]:
    """By name and by what the scores are on: `count`, `mean`, `last` and `labels`, whatever the order of the scores.

    `mean` is that of the values, computed without rounding before it becomes a float, `last` the value of the last score, its label if it
    has no value; both `None` without one. `labels` has the number of scores with each label.
    """
    found: dict[str, tuple[list[Told], ...]] = {}
    for one in scores:
        found.setdefault(one.name, ([], [], []))[one.level].append(one)
    return {
        name: {LEVELS[level]: _summary(some) for level, some in enumerate(found[name])}
        for name in sorted(found)[:NAMES_KEPT]
    }


def mean_of(values: Iterable[tuple[float, int]]) -> float | None:
    """The mean of values, each with how often it occurs; `None` without any. It is that of the decimals that the values are written as."""
    total, count = Fraction(), 0
    for value, times in values:
        total += Fraction(Decimal(repr(value))) * times
        count += times
    return float(total / count) if count else None


def _summary(scores: list[Told]) -> dict[str, Any]:
    labels: Counter[str] = Counter()
    for one in scores:
        if one.label is not None:
            labels[one.label] += one.number
    last = max(scores, key=lambda one: one.latest, default=None)
    return {
        "count": sum(one.number for one in scores),
        "mean": mean_of((one.value, one.number) for one in scores if one.value is not None),
        "last": None if last is None else last.label if last.value is None else last.value,
        "labels": dict(sorted(labels.items())),
    }
