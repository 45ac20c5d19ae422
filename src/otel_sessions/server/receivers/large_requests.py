"""Large requests: the size that makes one, and the refusal of one when too many come at once."""

from __future__ import annotations

from typing import Final

from otel_sessions.server.otlp.errors import BusyError

LARGE_REQUEST: Final = 4 << 20
"""A request of more decompressed bytes is a large one. Decoding it takes so long that it must not hold up small ones."""

_RETRY_SECONDS: Final = 1.0


def too_many_large_requests() -> BusyError:
    """The refusal of a request for which there is neither memory nor a thread now."""
    return BusyError("too many large requests at once; send again later", retry_after=_RETRY_SECONDS)
