"""`residuals`: the tokens that skipped spans report beyond the calls counted below them; shown, never added.

A surplus may be a call without instrumentation, or a running total; a negative one is a total without tool calls.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.tokens import Usage


def residuals(spans: Mapping[int, SpanFacts], calls: Mapping[int, Call]) -> dict[int, Usage]:
    """For each span that reports usage and is not counted: its input and output tokens minus those counted below it."""
    below: dict[int, tuple[int, int]] = dict.fromkeys(spans, (0, 0))
    for span_id in _children_first(spans):
        call = calls.get(span_id)
        usage = None if call is None else call.usage
        input_, output = below[span_id]
        if usage is not None:
            input_ += usage.input_tokens or 0
            output += usage.output_tokens or 0
        parent_id = spans[span_id].parent_id
        if parent_id in below:
            known = below[parent_id]
            below[parent_id] = (known[0] + input_, known[1] + output)
    found: dict[int, Usage] = {}
    for span_id, span in spans.items():
        if span_id not in calls and span.call is not None and span.call.usage is not None:
            own, (input_, output) = span.call.usage, below[span_id]
            found[span_id] = Usage(
                None if own.input_tokens is None else own.input_tokens - input_,
                None if own.output_tokens is None else own.output_tokens - output,
            )
    return found


def _children_first(spans: Mapping[int, SpanFacts]) -> list[int]:
    children: dict[int, list[int]] = {}
    order: list[int] = []
    for span_id, span in spans.items():
        if span.parent_id is not None and span.parent_id in spans:
            children.setdefault(span.parent_id, []).append(span_id)
        else:
            order.append(span_id)
    for span_id in order:  # grows during the loop, parents before children
        order.extend(children.get(span_id, ()))
    return order[::-1]
