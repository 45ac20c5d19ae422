"""The fields of `SessionRollup` that are made of several sums: time, cache, models, tokens and costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_sessions.counting.cache_bill import bill_of
from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.model_names import Model, fold_models
from otel_sessions.counting.time_spent import TimeSpent
from otel_sessions.counting.totals import COSTS, TOKENS, Totals
from otel_sessions.money import without_trailing_zeros


def time_fields(time: TimeSpent | None, idle_time: int) -> dict[str, float | None]:
    """Milliseconds by name, as `SessionRollup` has them."""
    spent = {f"{name}_ms": None if time is None else getattr(time, name) / 1e6 for name in TimeSpent._fields}
    return {**spent, "idle_ms": idle_time / 1e6}


def cache_fields(uses: list[CacheUse]) -> dict[str, Any]:
    """The bill by name, as `SessionRollup` has it."""
    bill, _ = bill_of(uses)
    return {
        "rebuilt_count": bill.rebuilt_count,
        "rebuilt_tokens": bill.rebuilt_tokens,
        "rebuilt_cost": without_trailing_zeros(bill.rebuilt_cost),
        "cost_exact": bill.cost_exact,
        "by_reason": {
            label: {"count": one.count, "tokens": one.tokens, "cost": without_trailing_zeros(one.cost)}
            for label, one in bill.by_reason.items()
        },
        "cheaper_ttl": bill.cheaper_ttl,
    }


def folded_models(models: Mapping[Model, Totals]) -> dict[Model, Totals]:
    """The models, with all spellings of one added up."""
    folded: dict[Model, Totals] = {}
    for model, parts in fold_models(models).items():
        folded[model] = Totals()
        for totals in parts:
            folded[model].add(totals)
    return folded


def sum_fields(totals: Totals) -> dict[str, Any]:
    """Calls, tokens and costs by name, as `SessionRollup` has them."""
    return {
        "call_count": totals.call_count,
        "unpriced_call_count": totals.unpriced_call_count,
        **{name: getattr(totals, name) for name in TOKENS},
        **{name: without_trailing_zeros(getattr(totals, name)) for name in COSTS},
        "total_tokens": totals.total_tokens,
        "cost_exact": totals.cost_exact,
        "cost_sources": tuple(sorted(totals.sources)),
    }
