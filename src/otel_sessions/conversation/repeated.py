"""`with_repeated`: answers that were not captured, as the next call repeats them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from otel_sessions.conversation.chains import Links
from otel_sessions.conversation.tellings import Place, Telling, in_order


def with_repeated(calls: dict[Place, Telling]) -> None:
    """Complete calls whose input is known and whose answer is not: what the next call of the lane has right behind that input is it.

    An application that gives the model another answer than the one it got is not noticed.

    Args:
        calls: by place; changed.
    """
    for lane in _by_lane(calls.values()):
        for one, after in pairwise(lane):
            if one.output or one.call is None or one.call.failed:
                continue
            given, repeated = _said(one.input), _said(after.input)
            answer = repeated.after(len(given)).until(1)
            if given and answer.roles == b"a" and repeated.likenesses.startswith(given.likenesses):
                calls[one.unit, one.record] = one._replace(output=answer, captured=True)


def _by_lane(calls: Iterable[Telling]) -> Iterable[list[Telling]]:
    """The calls with input, by lane, each in the order of time."""
    found: dict[str | None, list[Telling]] = {}
    for one in in_order([one for one in calls if one.input]):
        found.setdefault(one.lane, []).append(one)
    return found.values()


def _said(links: Links) -> Links:
    """The links without the system instructions at their beginning, which may change from call to call."""
    return links.after(len(links) - len(links.roles.lstrip(b"s")))
