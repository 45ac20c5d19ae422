"""`interleaved`: the costs of variants of a task, measured in turns so that the noise of the machine affects all alike.

Only the CPU time of this process counts. Two variants are compared round by round and the median of those comparisons
is shown, since a difference of two medians would carry the noise of both.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from statistics import median

Costs = list[float]
"""Microseconds of CPU per unit, one entry a round."""


class Rounds:
    """The costs of every variant, round by round, in microseconds of CPU per unit."""

    def __init__(self, costs: Mapping[str, Costs]) -> None:
        self.costs = costs

    def median(self, variant: str) -> float:
        """The cost of one unit of a variant in the median round."""
        return median(self.costs[variant])

    def added(self, variant: str, base: str) -> float:
        """The cost that a variant adds to another, in the median round."""
        return median(self.added_costs(variant, base))

    def ratio(self, variant: str, to: str, base: str) -> float:
        """The ratio of the costs that two variants add to the base, in the median round."""
        pairs = zip(self.added_costs(variant, base), self.added_costs(to, base), strict=True)
        return median(ours / theirs for ours, theirs in pairs if theirs > 0)

    def added_costs(self, variant: str, base: str) -> Costs:
        """The cost that a variant adds to another, round by round."""
        return [one - other for one, other in zip(self.costs[variant], self.costs[base], strict=True)]


def interleaved(
    variants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    units: int,
    before: Callable[[], object] = lambda: None,
    clock: Callable[[], int] = time.process_time_ns,
) -> Rounds:
    """Run every variant once a round, in an order that changes from round to round.

    Args:
        variants: by name, a task of `units` units; a few milliseconds are long enough to measure.
        rounds: the number of rounds that count, after two to warm up.
        units: the number that costs are divided by.
        before: called before each run; its time is not counted.
        clock: returns nanoseconds.
    """
    costs: dict[str, Costs] = {name: [] for name in variants}
    order = list(variants.items())
    shuffle = random.Random(1).shuffle
    for number in range(-2, rounds):
        shuffle(order)
        for name, run in order:
            before()
            begin = clock()
            run()
            taken = clock() - begin
            if number >= 0:
                costs[name].append(taken / units / 1000)
    return Rounds(costs)
