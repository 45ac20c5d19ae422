"""`normalise`: the tokens that a span reports in any dialect as one `Usage`."""

from __future__ import annotations

from collections.abc import Mapping

from otel_sessions.counting.tokens import Usage
from otel_sessions.dialects import names
from otel_sessions.dialects.read import FAMILIES

_PARTS = ("cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_input", "audio_output")


def normalise(reported: Mapping[int, Mapping[str, int]], scope: str = "") -> Usage | None:
    """The usage of a span; `None` if no family has input or output tokens.

    Input and output come from one family, the first that has either: two names of one number are copies, and two
    families may differ in meaning. Other families only fill in parts that it lacks. Input without cached tokens is
    recognised by its family or scope, by the total, or because it is smaller than its parts; the cached tokens are then
    added. Reasoning that exceeds the output is not included in it, and is added.

    Args:
        reported: tokens by slot of a `Family`, by the index of the family in `FAMILIES`.
        scope: the name of the instrumentation scope.
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
    read, write = parts.get("cache_read"), parts.get("cache_write")
    cached = (read or 0) + (write or 0)
    if input_ is not None and cached:
        exclusive = (
            FAMILIES[chosen].exclusive
            or scope.startswith(names.EXCLUSIVE_SCOPES)
            or input_ < cached
            or own.get("total") == input_ + cached + (output or 0)
        )
        if exclusive:
            input_ += cached
    reasoning = parts.get("reasoning")
    if reasoning is not None and output is not None and reasoning > output:
        output += reasoning
    return Usage(
        input_,
        output,
        read,
        write,
        reasoning,
        parts.get("audio_input"),
        parts.get("audio_output"),
        parts.get("cache_write_1h"),
    )
