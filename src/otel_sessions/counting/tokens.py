"""`Usage`: the tokens of one model call, normalised."""

from __future__ import annotations

from typing import NamedTuple


class Usage(NamedTuple):
    """The tokens of one model call in OpenTelemetry's meaning; `None` is "not reported", never 0.

    `input_tokens` includes cache reads and cache writes, `output_tokens` includes reasoning; the other fields are
    parts of those two. `cache_write_1h_tokens` is the part of `cache_write_tokens` that is kept for an hour.
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
        """Input plus output; `None` if neither was reported."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)
