"""The cost of a session on every span: start and end of a span, with and without `SessionSpanProcessor`."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import copy_context
from typing import Final

from benchmarks.rounds import interleaved
from benchmarks.spans import SPANS_A_TRACE, provider
from benchmarks.tables import Row, Table
from opentelemetry import baggage
from opentelemetry.context import Context, attach, create_key, detach, get_current, get_value, set_value
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Tracer

from otel_sessions import SessionSpanProcessor, propagate_sessions

_ID, _USER, _NAME = "ticket-2611", "user-a", "Order #12345"
_THREE: Final[dict[str, str]] = {"session.id": _ID, "user.id": _USER, "session.name": _NAME}
_TEN: Final[dict[str, str]] = {f"app.attribute.{number}": "as long as most values are" for number in range(10)}
_KEY: Final = create_key("benchmarks-ready-attributes")
_TRACES_A_ROUND: Final = 12


class _Nothing(SpanProcessor):
    """Does nothing; as the last processor it stands for the exporting one."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        pass

    def on_end(self, span: ReadableSpan) -> None:
        pass


class _Floor(_Nothing):
    """The least that stamping can cost: attributes that are ready in the context are set at once."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        attributes = get_value(_KEY, parent_context)
        if attributes:
            span.set_attributes(attributes)  # type: ignore[arg-type]


def measure(*, quick: bool) -> Table:
    """Microseconds of CPU per span, over a root and seven children, each started and ended."""
    baggage_processor = _baggage_processor()
    born_bare = _tracers(baggage_processor)
    with ExitStack() as opened:
        variants = {name: _spans(tracer, scope, None, opened) for name, (tracer, scope) in born_bare.items()}
        for name in ("bare", "floor", "ours", "ours, no session"):
            tracer, scope = born_bare[name]
            variants[name + ", ten"] = _spans(tracer, scope, _TEN, opened)
        gc.collect()
        gc.freeze()
        found = interleaved(variants, rounds=3 if quick else 400, units=_TRACES_A_ROUND * SPANS_A_TRACE)
        gc.unfreeze()

    def row(what: str, name: str, target: str = "", *, ten: bool = False) -> Row:
        suffix = ", ten" if ten else ""
        bare, floor = "bare" + suffix, "floor" + suffix
        over_floor = "" if name == "nothing" else f"{found.ratio(name + suffix, floor, bare):.2f}"
        added = f"{found.added(name + suffix, bare):+.2f}"
        return Row(what, (f"{found.median(name + suffix):.2f}", added, over_floor), target)

    rows = [
        Row("bare SDK", (f"{found.median('bare'):.2f}", "", "")),
        row("a processor that does nothing", "nothing"),
        row("floor: get_value + set_attributes(3)", "floor"),
        row("SessionSpanProcessor, three attributes", "ours", "<= 1.15 x floor"),
        row("SessionSpanProcessor, no session", "ours, no session", "<= 1.3 us added"),
        Row("bare SDK, span born with ten attributes", (f"{found.median('bare, ten'):.2f}", "", "")),
        row("floor, ten", "floor", ten=True),
        row("SessionSpanProcessor, ten", "ours", "<= 1.30 x floor", ten=True),
        row("SessionSpanProcessor, ten, no session", "ours, no session", "<= 1.3 us added", ten=True),
    ]
    notes: tuple[str, ...] = ()
    if baggage_processor is None:
        notes = ("skipped: OpenTelemetry's baggage processor; install opentelemetry-processor-baggage to compare",)
    else:
        rows.insert(3, row("OTel's BaggageSpanProcessor, three entries", "baggage"))
    return Table("stamping (us of CPU per span)", ("span", "added", "x floor"), rows, notes)


def _tracers(
    baggage_processor: SpanProcessor | None,
) -> dict[str, tuple[Tracer, Callable[[], AbstractContextManager[object]]]]:
    def tracer(*processors: SpanProcessor) -> Tracer:
        return provider(*processors, _Nothing()).get_tracer("benchmarks")

    def scope() -> AbstractContextManager[object]:
        return propagate_sessions(_ID, user_id=_USER, session_name=_NAME)

    tracers: dict[str, tuple[Tracer, Callable[[], AbstractContextManager[object]]]] = {
        "bare": (tracer(), nullcontext),
        "nothing": (tracer(_Nothing()), nullcontext),
        "floor": (tracer(_Floor()), lambda: _attached(set_value(_KEY, _THREE))),
        "ours": (tracer(SessionSpanProcessor()), scope),
        "ours, no session": (tracer(SessionSpanProcessor()), nullcontext),
    }
    if baggage_processor is not None:
        tracers["baggage"] = (tracer(baggage_processor), _with_baggage)
    return tracers


def _spans(
    tracer: Tracer,
    scope: Callable[[], AbstractContextManager[object]],
    attributes: Mapping[str, str] | None,
    opened: ExitStack,
) -> Callable[[], None]:
    def run() -> None:
        for _ in range(_TRACES_A_ROUND):
            with tracer.start_as_current_span("root", attributes=attributes):
                for _ in range(SPANS_A_TRACE - 1):
                    tracer.start_span("child", attributes=attributes).end()

    # What entering the scope costs is another figure. It stays open, since a scope that has ended stamps nothing.
    inside, manager = copy_context(), scope()
    inside.run(manager.__enter__)
    opened.callback(inside.run, manager.__exit__, None, None, None)
    return lambda: inside.run(run)


@contextmanager
def _attached(context: Context) -> Iterator[None]:
    token = attach(context)
    try:
        yield
    finally:
        detach(token)


def _with_baggage() -> AbstractContextManager[None]:
    context = get_current()
    for name, value in _THREE.items():
        context = baggage.set_baggage(name, value, context)
    return _attached(context)


def _baggage_processor() -> SpanProcessor | None:
    try:
        package = importlib.import_module("opentelemetry.processor.baggage")
    except ImportError:
        return None
    processor: SpanProcessor = package.BaggageSpanProcessor(package.ALLOW_ALL_BAGGAGE_KEYS)
    return processor
