"""`Usage`: the tokens of one model call, normalised; how two reports of one call agree and complete each other."""

from __future__ import annotations

from typing import NamedTuple


class Usage(NamedTuple):
    """The tokens of one model call, as OpenTelemetry defines them; `None` means "not reported" and is never 0.

    https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/

    Attributes:
        input_tokens: all input, with cache reads and cache writes.
        output_tokens: all output, with reasoning.
        cache_read_tokens: the part of the input that was read from the provider's cache.
        cache_write_tokens: the part of the input that was written to the provider's cache.
        reasoning_tokens: the part of the output that is reasoning.
        audio_input_tokens: the part of the input that is audio.
        audio_output_tokens: the part of the output that is audio.
        cache_write_1h_tokens: the part of `cache_write_tokens` that is kept for an hour.
        cache_read_audio_tokens: the part of both `cache_read_tokens` and `audio_input_tokens`.
        unexplained_tokens: what a reported total has beyond input and output; `None` if it has nothing. A cost without
            these tokens is a lower bound.

    Example:
        >>> from otel_sessions import Usage
        >>> Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=400).total_tokens
        1100
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    unexplained_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Input plus output tokens; `None` if neither was reported."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)


def same_tokens(one: Usage, other: Usage) -> bool:
    """Return True if two reports can be of one call: what both say is equal, or the outputs differ by the thinking.

    Some providers report thinking beside the output, and some instrumentations pass the output on without it.
    """
    if one.input_tokens != other.input_tokens and None not in (one.input_tokens, other.input_tokens):
        return False
    if one.output_tokens is None or other.output_tokens is None:
        return True
    beyond = abs(one.output_tokens - other.output_tokens)
    return beyond in (0, one.reasoning_tokens, other.reasoning_tokens)


def completed(one: Usage | None, other: Usage | None) -> Usage | None:
    """The report `one` of a call with the parts that only `other` has; of two outputs the one with the thinking.

    Numbers are filled in, never added. Reports that do not agree are not mixed.
    """
    if other is None or one is None or not one.total_tokens:
        return one if other is None else other
    if not same_tokens(one, other):
        return one
    fuller, lesser = (other, one) if (other.output_tokens or 0) > (one.output_tokens or 0) else (one, other)
    filled = Usage(*(theirs if ours is None else ours for ours, theirs in zip(fuller, lesser, strict=True)))
    if fuller.output_tokens == lesser.output_tokens:
        return filled
    return filled._replace(unexplained_tokens=fuller.unexplained_tokens)
