"""`name_models`: the model of a call that names none, from a span around it or below it.

Some emitters put the model on the turn or agent and the tokens on the response, or the other way round. The nearest span
around the call that names a model has it, else the spans below it if they all name the same. A tool call starts a new
unit, so nothing beyond one counts.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_sessions.counting.ancestors import nearest_above
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.model_names import base_name
from otel_sessions.dialects.kinds import TOOL


def name_models(calls: dict[int, Call], spans: Mapping[int, SpanFacts]) -> None:
    """Fill in the model, and a provider that is missing, of counted calls without one."""
    nameless = [span_id for span_id, call in calls.items() if call.model is None and call.request_model is None]
    if not nameless:
        return
    around = nearest_above(nameless, spans, lambda span: span.call is not None and _names_a_model(span.call))
    below = _named_below(spans)
    for span_id in nameless:
        named = spans[around[span_id]].call if span_id in around else below.get(span_id)
        if named is not None:
            call = calls[span_id]
            calls[span_id] = call._replace(
                model=named.model, request_model=named.request_model, provider=call.provider or named.provider
            )


def _named_below(spans: Mapping[int, SpanFacts]) -> dict[int, Call]:
    """By span id, what names the only model below a span."""
    found: dict[int, Call | None] = {}
    for span in spans.values():
        if span.call is None or not _names_a_model(span.call):
            continue
        current = span
        while current.kind != TOOL and current.parent_id is not None and current.parent_id in spans:
            known = found.get(current.parent_id, span.call)
            same = known is not None and _base(known) == _base(span.call)
            if current.parent_id in found and (known is None or same):
                break
            found[current.parent_id] = span.call if same else None
            current = spans[current.parent_id]
    return {span_id: call for span_id, call in found.items() if call is not None}


def _names_a_model(call: Call) -> bool:
    return call.model is not None or call.request_model is not None


def _base(call: Call) -> str:
    return base_name(call.model or call.request_model or "")
