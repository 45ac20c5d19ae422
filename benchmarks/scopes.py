"""The cost of entering and leaving a session's scope, without spans in it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Final

from benchmarks.rounds import interleaved
from benchmarks.spans import provider
from benchmarks.tables import Row, Table
from opentelemetry.trace import Tracer

from otel_sessions import SessionScope, propagate_sessions

_TIMES: Final = 200


def measure(*, quick: bool) -> Table:
    """Microseconds of CPU per scope entered and left, or per call of a decorated function."""
    tracer = provider().get_tracer("benchmarks")
    variants: dict[str, Callable[[], None]] = {
        "loop": _repeated(lambda: None),
        "with": _repeated(_enter),
        "decorated": _repeated(_scope()(lambda: None)),
        "callable": _repeated(propagate_sessions(lambda: "ticket-2611")(lambda: None)),
        "span": _repeated(_in_span(tracer, lambda: None)),
        "in a span": _repeated(_in_span(tracer, _enter)),
        "in a span with a session": _under_stamped(tracer),
    }
    gc.collect()
    gc.freeze()
    found = interleaved(variants, rounds=3 if quick else 200, units=_TIMES)
    gc.unfreeze()

    def row(what: str, name: str, base: str = "loop", target: str = "< 6 us") -> Row:
        return Row(what, (f"{found.added(name, base):.2f}",), target)

    rows = [
        row("with propagate_sessions(...): three attributes, no span open", "with"),
        row("the same, a span with this session open", "in a span with a session"),
        row("the same, a span without session open, which is stamped", "in a span", "span"),
        row("call of a function decorated with it", "decorated"),
        row("call of a function decorated with a callable as id", "callable", target=""),
    ]
    return Table("scopes (us of CPU)", ("enter and leave",), rows)


def _scope() -> SessionScope:
    return propagate_sessions("ticket-2611", user_id="user-a", session_name="Order #12345")


def _enter() -> None:
    with _scope():
        pass


def _repeated(call: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(_TIMES):
            call()

    return run


def _in_span(tracer: Tracer, call: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        with tracer.start_as_current_span("POST /tickets"):
            call()

    return run


def _under_stamped(tracer: Tracer) -> Callable[[], None]:
    repeated = _repeated(_enter)

    def run() -> None:
        with tracer.start_as_current_span("POST /tickets"), _scope():
            repeated()

    return run
