"""Prices of a server in this process: a call keeps the price of its time, wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.conversing import AT, CALL, SECOND, Talks, record, span

from otel_sessions.server import prices

MODEL = "our-own-model"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the store."""
    return tmp_path_factory.mktemp("prices")


@pytest.fixture(scope="module")
def module_talks(folder: Path) -> Iterator[Talks]:
    """A server that the tests share."""
    talks = Talks(f"chdb://{folder}", "prices", folder)
    yield talks
    talks.backend.close()


@pytest.fixture
def talks(module_talks: Talks) -> Iterator[Talks]:
    """The server, without given prices and sessions at the end."""
    yield module_talks
    module_talks.backend.prices.take_back(lambda _: True)
    for one in module_talks.get("/sessions")["data"]:
        module_talks.backend.delete_session(one["id"])


def a_call(trace: int, session: str = "s", **more: Any) -> dict[str, Any]:
    """A call of the model with 12 input tokens."""
    attributes = {**CALL, "gen_ai.request.model": MODEL, "session.id": session, **more}
    return span(trace, trace, attributes, at=AT + trace * SECOND)


def give(talks: Talks, price: str, status: int = 200, model: str = MODEL) -> Any:
    """Give the model a price for a million input tokens."""
    answer = talks.client.put("/v1/prices", json={"model": model, "input": price, "output": "0"})
    assert answer.status_code == status, answer.text
    return answer.json()


def costs(talks: Talks) -> list[str | None]:
    """What each call of the session costs."""
    return [one["total_cost"] for one in talks.get("/sessions/s/calls")["data"]]


def test_calls_keep_their_price(talks: Talks) -> None:
    """Each call costs what it cost when it was stored, whatever is given and taken back later, until it is priced again."""
    for trace, price in enumerate(("1000000", "2000000"), 1):
        assert give(talks, price)["data"]["input"] == price
        talks.send(a_call(trace))
        talks.backend.settle()
    assert costs(talks) == ["12", "24"]
    assert talks.client.delete(f"/v1/prices?model={MODEL}").json()["data"]["prices"][0]["input"] == "2000000"
    talks.send(a_call(3))
    assert costs(talks) == ["12", "24", None]
    talks.reopen()
    assert costs(talks) == ["12", "24", None]
    priced = talks.client.post("/v1/prices/recompute", json={"session": "s", "since": "1960-01-01"})
    assert priced.json()["data"]["changed_trace_count"] == 2
    assert costs(talks) == [None, None, None]


def test_the_same_price_twice(talks: Talks) -> None:
    """A price that is given already stays the one that it is, with its time."""
    first = give(talks, "1")
    assert give(talks, "1") == first
    assert len(talks.backend.prices.in_force()) == 1


def test_too_many_prices(talks: Talks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the bound a price of another model is refused, and one that is given already can be replaced."""
    monkeypatch.setattr(prices, "MOST_PRICES", 1)
    give(talks, "1")
    assert give(talks, "1", 409, "another")["error"]["code"] == "too_many_prices"
    assert give(talks, "2")["data"]["input"] == "2"


def test_what_a_cache_costs_by_given_prices(talks: Talks) -> None:
    """The penalty of a cache that was not read comes from the price of now."""
    give(talks, "3")
    penalties = talks.backend.prices.pricer.cache_penalties(provider=None, model=MODEL, input_tokens=1, at=AT)
    assert penalties is not None


def test_times_that_are_none(talks: Talks) -> None:
    """A time that cannot be read, and a key without a session, are refused."""
    for body, said in (({"since": "soon"}, "since: give a time"), ({"key": "id"}, "key: names the key")):
        answer = talks.client.post("/v1/prices/recompute", json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith(said)


def test_models_in_use(talks: Talks) -> None:
    """Models are listed with their prices; calls that name no model have none."""
    give(talks, "3")
    unnamed = {name: value for name, value in CALL.items() if name != "gen_ai.request.model"}
    talks.send(a_call(1), span(2, 2, {**unnamed, "session.id": "s"}))
    listed = {one["model"]: one["input"] for one in talks.get("/prices/models")["data"]}
    assert listed == {MODEL: "3", None: None}


def test_calls_in_log_records_keep_their_price(talks: Talks) -> None:
    """A session of log records alone is resolved by the prices of its time too, and its messages are there."""
    give(talks, "1000000")
    talks.send_logs(
        record(
            {**CALL, "gen_ai.request.model": MODEL, "session.id": "s"},
            event="gen_ai.client.inference.operation.details",
        )
    )
    talks.backend.settle()
    give(talks, "2000000")
    assert costs(talks) == ["12"]
    assert talks.messages("s")
