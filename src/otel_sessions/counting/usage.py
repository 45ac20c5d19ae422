"""`normalise`: the tokens that a span reports in any dialect as one `Usage`."""

from __future__ import annotations

from collections.abc import Mapping

from otel_sessions.counting.tokens import Usage
from otel_sessions.dialects.targets import FAMILIES

_PARTS = (
    "total",
    "cache_read",
    "cache_write",
    "cache_write_5m",
    "cache_write_1h",
    "reasoning",
    "audio_input",
    "audio_output",
    "cache_read_audio",
)


def normalise(reported: Mapping[int, Mapping[str, int]], *, thinks_beside: bool = False) -> Usage | None:
    """The usage of a span; `None` if no family has input or output tokens.

    Input and output come from one family, the first that has either: two names of one number are copies, and two
    families may differ in meaning. Other families only fill in parts that it lacks.

    Whether the input includes cached tokens, and the output thinking, is decided by the numbers: a part cannot exceed its
    whole, a reported total is the sum of both, another family on the span says the same number in its own meaning. Where
    the numbers allow both, the family decides, and OpenTelemetry's meaning is the default: the whole includes its parts.

    Args:
        reported: tokens by slot of a `Family`, by the index of the family in `FAMILIES`.
        thinks_beside: the provider's totals are known to count thinking beside the output, so that a total tells of
            thinking that is not reported by itself.
    """
    if len(reported) == 1:  # nearly always
        ((chosen, own),) = reported.items()
        if "input" not in own and "output" not in own:
            return None
        parts = own
    else:
        in_order = sorted(reported)
        with_whole = [index for index in in_order if "input" in reported[index] or "output" in reported[index]]
        if not with_whole:
            return None
        chosen = with_whole[0]
        own = reported[chosen]
        others = (item for index in reversed(in_order) for item in reported[index].items())
        parts = {**{part: tokens for part, tokens in others if part in _PARTS}, **own}
    input_, output = own.get("input"), own.get("output")
    if len(parts) == 2 and input_ is not None and output is not None:
        return Usage(input_, output)
    read, write, reasoning, total = parts.get("cache_read"), _written(parts), parts.get("reasoning"), parts.get("total")
    cached, thought = (read or 0) + (write or 0), reasoning or 0
    if (
        len(reported) == 1
        and (input_ or 0) >= cached
        and (output or 0) >= thought
        and (total is None or total == (input_ or 0) + (output or 0))
        and not FAMILIES[chosen].exclusive
        and not FAMILIES[chosen].thinks_beside
    ):
        pass  # as nearly always: the parts fit into their wholes, and nothing says that they are beside them
    elif (input_ is not None and cached) or (output is not None and thought):
        cache_beside, thinking_beside = _beside(
            input_,
            output,
            cached,
            thought,
            total,
            cached_is=_proven(reported, chosen, input_, cached),
            thinking_is=True if FAMILIES[chosen].thinks_beside else None,
        )
        if input_ is not None and cache_beside:
            input_ += cached
        if output is not None and thinking_beside:
            output += thought
    unexplained: int | None = None
    if total is not None and input_ is not None and output is not None and total > input_ + output:
        rest = total - input_ - output
        if thinks_beside and reasoning is None:
            output, reasoning = output + rest, rest
        else:
            unexplained = rest
    return Usage(
        input_,
        output,
        read,
        write,
        reasoning,
        parts.get("audio_input"),
        parts.get("audio_output"),
        _kept_for_an_hour(parts, write),
        parts.get("cache_read_audio"),
        unexplained,
    )


def _written(parts: Mapping[str, int]) -> int | None:
    """All cache writes. Those of each time to live are parts of the whole, which some report as 0 beside them."""
    whole, minutes, hour = parts.get("cache_write"), parts.get("cache_write_5m"), parts.get("cache_write_1h")
    if minutes is None and hour is None:
        return whole
    return max(whole or 0, (minutes or 0) + (hour or 0))


def _kept_for_an_hour(parts: Mapping[str, int], write: int | None) -> int | None:
    """The cache writes that are kept for an hour; none of them where all are kept for five minutes."""
    minutes, hour = parts.get("cache_write_5m"), parts.get("cache_write_1h")
    return 0 if hour is None and minutes is not None and minutes == write else hour


def _proven(reported: Mapping[int, Mapping[str, int]], chosen: int, input_: int | None, cached: int) -> bool | None:
    """Whether cached tokens are beside the input, by its family and by the other families on the span; `None` if neither tells."""
    if FAMILIES[chosen].exclusive:
        return True
    if input_ is not None and cached:
        for index, family in reported.items():
            other = family.get("input")
            if index != chosen and other is not None:
                if other == (input_ if FAMILIES[index].exclusive else input_ + cached):
                    return True
                if FAMILIES[index].exclusive and other == input_ - cached:
                    return False
    return None


def _beside(
    input_: int | None,
    output: int | None,
    cached: int,
    thought: int,
    total: int | None,
    *,
    cached_is: bool | None,
    thinking_is: bool | None,
) -> tuple[bool, bool]:
    """Whether cached tokens are beside the input, and thinking beside the output.

    Of the readings that are possible, the first whose sum is the total, else the first: tokens are parts before they are
    beside.
    """
    cache = [beside for beside in (False, True) if cached_is in (None, beside)]
    if input_ is not None and input_ < cached and len(cache) > 1:
        cache = [True]
    thinking = [beside for beside in (False, True) if thinking_is in (None, beside)]
    if output is not None and output < thought:
        thinking = [True]
    readings = [(one, other) for one in cache for other in thinking]
    if total is not None and len(readings) > 1:
        whole = (input_ or 0) + (output or 0)
        for one, other in readings:
            if whole + (cached if one else 0) + (thought if other else 0) == total:
                return one, other
    return readings[0]
