"""`Usage`: the tokens of one model call, normalised."""

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

    @property
    def total_tokens(self) -> int | None:
        """Input plus output tokens; `None` if neither was reported."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)
