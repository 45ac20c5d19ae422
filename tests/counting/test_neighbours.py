"""`name_models`: a model on one span, the tokens on another."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.counting.building import PerToken, Told, rolled_up, told, totals

TOKENS = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2}
TURN = {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-5", "gen_ai.provider.name": "openai"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5"}


def found(root: Told) -> dict[tuple[str | None, str | None], int]:
    """The number of calls by provider and model, all of them priced."""
    whole = rolled_up(root, pricer=PerToken()).whole
    assert totals(whole).unpriced_call_count == 0
    assert totals(whole).total_cost == 14
    return {model: one.call_count for model, one in whole.models.items()}


@pytest.mark.parametrize(
    "root",
    [
        pytest.param(told("app", TURN, told("app", TOKENS)), id="turn above the response"),
        pytest.param(told("app", TURN, told("app", {}, told("app", TOKENS))), id="a span between"),
        pytest.param(
            told("app", {"gen_ai.request.model": "gpt-5", "gen_ai.provider.name": "openai"}, told("app", TOKENS)),
            id="no kind",
        ),
        pytest.param(told("app", TURN, told("app", {"gen_ai.operation.name": "chat", **TOKENS})), id="a model call"),
    ],
)
def test_the_model_of_the_span_around(root: Told) -> None:
    """A call that reports tokens and no model has the model and provider of the nearest span around it that names one."""
    assert found(root) == {("openai", "gpt-5"): 1}


def test_the_nearest_span_around_decides() -> None:
    """The model of an outer agent does not reach below one that names another."""
    other = {**TURN, "gen_ai.request.model": "gpt-4"}
    assert found(told("app", other, told("app", TURN, told("app", TOKENS)))) == {("openai", "gpt-5"): 1}


@pytest.mark.parametrize(
    ("children", "model"),
    [
        ([CHAT], "gpt-5"),
        ([CHAT, {**CHAT, "gen_ai.request.model": "gpt-5-2026-01-01"}], "gpt-5"),
    ],
)
def test_the_only_model_below(children: list[Mapping[str, str]], model: str) -> None:
    """Tokens on a turn, the model on the silent call below it: one call."""
    turn = {"gen_ai.operation.name": "invoke_agent", **TOKENS}
    assert found(told("app", turn, *(told("app", child) for child in children))) == {(None, model): 1}


def test_two_models_below_say_nothing() -> None:
    """With two models below, the tokens of the turn cannot be priced."""
    turn = {"gen_ai.operation.name": "invoke_agent", **TOKENS}
    children = (told("app", {**CHAT, "gen_ai.request.model": name}) for name in ("gpt-5", "gpt-4", "gpt-5"))
    whole = rolled_up(told("app", turn, *children), pricer=PerToken()).whole
    assert totals(whole).unpriced_call_count == 1
    assert totals(whole).input_tokens == 10


def test_a_tool_call_parts_the_models() -> None:
    """The model of an agent is not that of a call inside its tool, nor the other way round."""
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}
    whole = rolled_up(told("app", TURN, told("app", tool, told("app", TOKENS))), pricer=PerToken()).whole
    assert list(whole.models) == [(None, None)]
    agent = {"gen_ai.operation.name": "invoke_agent", **TOKENS}
    whole = rolled_up(told("app", agent, told("app", tool, told("app", CHAT))), pricer=PerToken()).whole
    assert sorted(whole.models, key=str) == [(None, "gpt-5"), (None, None)]


def test_a_silent_call_around_the_tokens() -> None:
    """A model call without tokens, and a span below it that only has the tokens, are one call."""
    assert found(told("app", {**CHAT, "gen_ai.provider.name": "openai"}, told("app", TOKENS))) == {
        ("openai", "gpt-5"): 1
    }
