"""`SessionRatioSampler`: keeps or drops whole sessions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

from otel_sessions.attributes import ID_KEY
from otel_sessions.resolve import ACCEPT_BAGGAGE, Resolver
from otel_sessions.rules import DEFAULT_LIMITS, Limits

_HASHED_BITS = 32


def keeps(value: str, ratio: float) -> bool:
    """Return True if a session is kept: the first 8 hex digits of the SHA-256 of its value are below `ratio * 2**32`.

    The Collector's tail sampling processor can apply the same rule, so both keep the same sessions; see docs/backends.md.
    """
    digits = hashlib.sha256(value.encode()).digest()[: _HASHED_BITS // 8]
    return int.from_bytes(digits) < int(ratio * 2**_HASHED_BITS)


class SessionRatioSampler(Sampler):
    """Keeps a share of all sessions, each of them whole, and the same ones in every process with the same ratio.

    It decides where a trace starts in this process, by the session in force there (or in the accepted baggage);
    children follow their parent. A scope that is entered after the root span has started is too late: enter it before,
    or sample in the Collector.

    Args:
        ratio: the share to keep, 0 to 1.
        key: the session key whose value decides.
        root: decides for traces without a session; by default the same ratio of trace ids.
        accept_baggage: as for `SessionSpanProcessor`.
        limits: as for `SessionSpanProcessor`.

    Raises:
        ValueError: for a ratio outside 0 to 1.
        TypeError: for a string as `accept_baggage`.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from otel_sessions import SessionRatioSampler
        >>> provider = TracerProvider(sampler=SessionRatioSampler(0.1))
    """

    def __init__(
        self,
        ratio: float,
        *,
        key: str = ID_KEY,
        root: Sampler | None = None,
        accept_baggage: Iterable[str] = ACCEPT_BAGGAGE,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if not 0 <= ratio <= 1:
            raise ValueError(f"ratio is {ratio}; pass the share of sessions to keep, from 0 to 1")
        self._ratio = ratio
        self._key = key
        self._root = TraceIdRatioBased(ratio) if root is None else root
        self._resolver = Resolver(accept_baggage=accept_baggage, limits=limits)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide as the parent span did, else by the session, else as `root` does."""
        parent = get_current_span(parent_context).get_span_context()
        if parent.is_valid and not parent.is_remote:
            kept = parent.trace_flags.sampled
        else:
            value = self._value(parent_context)
            if value is None:
                return self._root.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
            kept = keeps(value, self._ratio)
        decision = Decision.RECORD_AND_SAMPLE if kept else Decision.DROP
        return SamplingResult(decision, attributes if kept else None, parent.trace_state)

    def _value(self, context: Context | None) -> str | None:
        try:
            return self._resolver.session(context).value(self._key)
        except Exception:  # with a sampler that raises the app would lose its span
            return None

    def get_description(self) -> str:
        """The sampler with its ratio and key."""
        return f"SessionRatioSampler{{{self._ratio},{self._key}}}"
