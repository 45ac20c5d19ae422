"""Prices that are given to a server in a process of its own: what they change, what they leave as it is, and pricing again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests import processes
from tests.server.asking import Answer, ask, path_of
from tests.server.otlp.building import AT, logs, traces
from tests.server.running import Server, post

MODEL = "our-own-model"
GIVEN = "prices given "


class Costs(NamedTuple):
    """What a session costs: in its totals, in the list, in its calls added up, and how many calls have no price."""

    total: str | None
    listed: str | None
    calls: str | None
    unpriced: int


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server on an empty store."""
    with Server(tmp_path / "store") as server:
        yield server


def a_call(trace: int, session: str = "s", more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A model call of a million input and half a million output tokens."""
    attributes = {
        "session.id": session,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": MODEL,
        "gen_ai.provider.name": "acme",
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 500_000,
        **(more or {}),
    }
    return {"trace_id": trace.to_bytes(16), "span_id": trace.to_bytes(8), "attributes": attributes}


def send(server: Server, *spans: dict[str, Any]) -> None:
    """Send spans in one request."""
    assert post(f"{server.url}/v1/traces", traces(*spans).SerializeToString()) == 200


def costs(server: Server, session: str = "s") -> Costs:
    """What a session costs, wherever it is shown."""
    one = server.get(path_of(session))["data"]
    (listed,) = [found for found in server.get("/v1/sessions")["data"] if found["id"] == session]
    calls = [
        Decimal(call["total_cost"])
        for call in server.get(path_of(session, "calls") + "?limit=1000")["data"]
        if call["total_cost"]
    ]
    total = format(sum(calls, Decimal(0)).normalize(), "f") if calls else None
    return Costs(one["total_cost"], listed["total_cost"], total, one["unpriced_call_count"])


def give(server: Server, model: str = MODEL, **price: Any) -> Answer:
    """Give a price."""
    return ask(server, "PUT", "/v1/prices", {"model": model, **price})


def recompute(server: Server, **scope: Any) -> dict[str, Any]:
    """Price again what is counted already."""
    answer = ask(server, "POST", "/v1/prices/recompute", scope)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.body["data"]
    return found


def test_a_price_counts_for_what_is_stored_afterwards(server: Server) -> None:
    """What was counted keeps its cost in totals, lists and calls; `recompute` moves it and says from what to what."""
    send(server, a_call(1))
    assert costs(server) == (None, None, None, 1)
    assert give(server, input="3", output="15").status == 200
    assert costs(server) == (None, None, None, 1)
    send(server, a_call(2))
    assert costs(server) == ("10.5", "10.5", "10.5", 1)
    assert recompute(server) == {
        "trace_count": 2,
        "changed_trace_count": 1,
        "costs": [
            {
                "key": "id",
                "total_cost_before": "10.5",
                "total_cost_after": "21",
                "unpriced_call_count_before": 1,
                "unpriced_call_count_after": 0,
            }
        ],
        "done": 2,
        "total": 2,
        "next": None,
    }
    assert costs(server) == ("21", "21", "21", 0)
    assert recompute(server)["changed_trace_count"] == 0


def test_old_calls_keep_their_price_through_every_change(server: Server) -> None:
    """Each call costs what it cost when it was stored, whatever is given, replaced and taken back later, also after a restart."""
    for trace, price in enumerate(("1", "2", "4"), 1):
        give(server, input=price, output="0")
        send(server, a_call(trace))
        server.get(path_of("s"))
    assert ask(server, "DELETE", f"/v1/prices?model={MODEL}").status == 200
    send(server, a_call(9))
    assert costs(server) == ("7", "7", "7", 1)
    sources = server.get(path_of("s"))["data"]["cost_sources"]
    assert [source[: len(GIVEN)] for source in sources] == [GIVEN]


def test_a_restart_and_a_rebuild_know_the_prices(tmp_path: Path) -> None:
    """Prices are in the store: `kill -9` loses none that was answered, and a rebuild counts by them."""
    store = tmp_path / "store"
    with Server(store) as server:
        send(server, a_call(1))
        server.get(path_of("s"))
        assert give(server, input="3", output="15").status == 200
        server.kill()
    with Server(store) as server:
        assert [price["model"] for price in server.get("/v1/prices")["data"]] == [MODEL]
        assert costs(server) == (None, None, None, 1)
        send(server, a_call(2))
        assert costs(server) == ("10.5", "10.5", "10.5", 1)
        server.stop()
    rebuilt = processes.run(sys.executable, "-m", "otel_sessions", "rebuild", "--store", f"chdb://{store}")
    assert rebuilt.returncode == 0, rebuilt.stderr
    with Server(store) as server:
        assert costs(server) == ("21", "21", "21", 0)


def test_recompute_after_kill_ends_the_same(tmp_path: Path) -> None:
    """A server that is killed while it prices again has what it did, and done again it comes to the same."""
    store = tmp_path / "store"
    with Server(store) as server:
        send(server, *(a_call(trace, f"s{trace % 7}") for trace in range(1, 2_001)))
        server.get("/v1/sessions")
        give(server, input="3", output="15")
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, server, "POST", "/v1/prices/recompute", {})
            server.kill()
            assert asked.exception(timeout=60) is not None or asked.result().status == 200
    with Server(store) as server:
        for _ in range(2):
            done = recompute(server)
            assert (done["done"], done["next"]) == (2_000, None)
        sessions = server.get("/v1/sessions")["data"]
        assert sum(Decimal(one["total_cost"]) for one in sessions) == 2_000 * Decimal("10.5")
        assert costs(server, "s1")[:3] == ("3003", "3003", "3003")


def test_recompute_of_one_session_or_since_a_time(server: Server) -> None:
    """Only what is named is priced again; a session in several traces as a whole."""
    old, new = {"start_time_unix_nano": AT, "end_time_unix_nano": AT}, {"start_time_unix_nano": AT + 10**18}
    new["end_time_unix_nano"] = new["start_time_unix_nano"]
    send(server, {**a_call(1, "a"), **old}, {**a_call(2, "b"), **old}, {**a_call(3, "b"), **new})
    server.get("/v1/sessions")
    give(server, input="1", output="0")
    recompute(server, session="a")
    assert (costs(server, "a").total, costs(server, "b").total) == ("1", None)
    recompute(server, since="2040-01-01T00:00:00Z")
    assert costs(server, "b") == ("1", "1", "1", 1)
    assert recompute(server)["changed_trace_count"] == 1
    assert costs(server, "b") == ("2", "2", "2", 0)


def test_log_records_without_a_trace_are_priced_too(server: Server) -> None:
    """A call that only a log record tells of keeps its cost, and moves when it is asked for."""
    record = {
        "event_name": "gen_ai.client.inference.operation.details",
        "time_unix_nano": AT,
        "attributes": a_call(1, "l")["attributes"],
    }
    assert post(f"{server.url}/v1/logs", logs(record).SerializeToString()) == 200
    assert costs(server, "l") == (None, None, None, 1)
    give(server, input="3", output="15")
    assert costs(server, "l") == (None, None, None, 1)
    recompute(server)
    assert costs(server, "l") == ("10.5", "10.5", "10.5", 0)


def test_a_reported_cost_stays(server: Server) -> None:
    """A cost that the call reports counts before every price, also when it is priced again."""
    send(server, a_call(1, more={"gen_ai.usage.cost": 0.25}))
    give(server, input="3", output="15")
    recompute(server)
    assert costs(server) == ("0.25", "0.25", "0.25", 0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([{"model": "our-*", "input": 1}, {"model": MODEL, "input": 2}], "2"),
        ([{"model": "our-*", "input": 1}, {"model": "our-own-*", "input": 2}], "2"),
        ([{"model": MODEL, "input": 1}, {"model": MODEL, "provider": "acme", "input": 2}], "2"),
        ([{"model": MODEL, "input": 2}, {"model": MODEL, "provider": "other", "input": 1}], "2"),
        ([{"model": MODEL, "input": 1}, {"model": MODEL, "input": 2, "from": "2026-01-01"}], "2"),
        ([{"model": MODEL, "input": 2}, {"model": MODEL, "input": 1, "from": "2099-01-01"}], "2"),
        ([{"model": MODEL, "input": 2}, {"model": MODEL, "input": 1, "until": "2000-01-01"}], "2"),
        ([{"model": MODEL, "input": 1}, {"model": MODEL, "input": 2, "until": "2099-01-01"}], "2"),
        ([{"model": MODEL, "input": 1}, {"model": MODEL.upper(), "input": 2}], "2"),
        ([{"model": MODEL, "input": "0.00000000000000000001"}], "0.00000000000000000001"),
    ],
)
def test_of_several_prices_the_most_specific_counts(shared: Server, given: list[dict[str, Any]], expected: str) -> None:
    """Names before beginnings, a provider before any, the later start, then the earlier end; one of the same replaces."""
    for price in given:
        assert ask(shared, "PUT", "/v1/prices", {"output": 0, **price}).status == 200
    send(shared, a_call(1))
    assert costs(shared).total == expected


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for several tests."""
    with Server(tmp_path_factory.mktemp("shared") / "store") as server:
        yield server


@pytest.fixture
def shared(one_for_all: Server) -> Iterator[Server]:
    """The server for several tests; a test leaves no price and no session in it."""
    yield one_for_all
    for price in one_for_all.get("/v1/prices")["data"]:
        assert ask(one_for_all, "DELETE", f"/v1/prices?model={price['model'].replace('*', '%2A')}").status == 200
    for session in one_for_all.get("/v1/sessions")["data"]:
        assert ask(one_for_all, "DELETE", path_of(session["id"])).status == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"model": "x"}, "neither input nor output"),
        ({"model": "x", "input": -1}, "from 0 to 1000000000"),
        ({"model": "x", "input": "-0.1"}, "from 0 to 1000000000"),
        ({"model": "x", "input": "NaN"}, "from 0 to 1000000000"),
        (b'{"model": "x", "input": NaN}', "from 0 to 1000000000"),
        (b'{"model": "x", "input": Infinity}', "from 0 to 1000000000"),
        ({"model": "x", "input": 1e30}, "from 0 to 1000000000"),
        ({"model": "x", "input": "1e99999999"}, "not a number"),
        ({"model": "x", "input": "0.000000000000000000001"}, "at most 20 decimals"),
        ({"model": "x", "input": "cheap"}, "not a number"),
        ({"model": "x", "input": "1" * 300}, "300 characters"),
        ({"model": "x", "input": True}, "input"),
        ({"model": "x", "cache_read": "1", "output": "1"}, "no input"),
        ({"model": " ", "input": 1}, "no model"),
        ({"model": "a*b", "input": 1}, "'*' stands in the middle"),
        ({"model": "x" * 2_000, "input": 1}, "model"),
        ({"model": "x", "input": 1, "provider": " "}, "provider"),
        ({"model": "x", "input": 1, "from": "2026-13-01"}, "days such as"),
        ({"model": "x", "input": 1, "from": "2026-02-01", "until": "2026-01-01"}, "not before until"),
        ({"modle": "x", "input": 1}, "modle"),
        (b"{", "no JSON"),
        (b"[]", "body"),
    ],
)
def test_what_is_no_price_is_refused(shared: Server, body: Any, said: str) -> None:
    """The answer names the problem, and nothing is given."""
    answer = ask(shared, "PUT", "/v1/prices", body)
    assert (answer.status, answer.body["error"]["code"]) == (400, "invalid_body")
    assert said in answer.body["error"]["message"]
    assert shared.get("/v1/prices")["data"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"session": "nobody"}, 404),
        ({"key": "ticket"}, 400),
        ({"since": "yesterday"}, 400),
        ({"cursor": "!"}, 400),
        ({"cursor": "WzEsMiwzXQ"}, 400),
        ({"everything": True}, 400),
    ],
)
def test_what_cannot_be_priced_again(shared: Server, body: dict[str, Any], status: int) -> None:
    """A scope that names nothing, or a cursor of something else, is an error."""
    assert ask(shared, "POST", "/v1/prices/recompute", body).status == status


def test_giving_the_same_price_again_changes_nothing(shared: Server) -> None:
    """The price keeps the time at which it was given first, whichever way its numbers are written."""
    first = give(shared, input="2.50", output=10)
    assert give(shared, input=2.5, output="10.0").body == first.body
    assert ask(shared, "GET", f"/v1/prices?model={MODEL}").body["data"] == [first.body["data"]]
    assert ask(shared, "GET", "/v1/prices?model=other").body["data"] == []


def test_prices_are_taken_back_by_provider_and_day(shared: Server) -> None:
    """Only the named ones go; what was not given is no error."""
    for more in ({}, {"provider": "acme"}, {"from": "2026-01-01"}):
        give(shared, input=1, **more)
    for query, left in (("&provider=other", 3), ("&provider=ACME", 2), ("&from=2026-01-01", 1), ("", 0), ("", 0)):
        ask(shared, "DELETE", f"/v1/prices?model={MODEL}{query}")
        assert len(shared.get("/v1/prices")["data"]) == left


def test_models_with_their_prices(shared: Server) -> None:
    """Models with calls without a price come first; the prices are those of now, and one model can be asked for."""
    send(shared, a_call(1), a_call(2, more={"gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}))
    found = shared.get("/v1/prices/models")["data"]
    assert [(one["model"], one["call_count"], one["unpriced_call_count"], one["input"]) for one in found] == [
        (MODEL, 1, 1, None),
        ("gpt-4o", 1, 0, "2.5"),
    ]
    give(shared, input="3", output="15", cache_read="0.3")
    (one,) = shared.get(f"/v1/prices/models?model={MODEL}&provider=acme")["data"]
    rates = [one[name] for name in ("input", "output", "cache_read", "cache_write", "cache_write_1h")]
    assert rates == ["3", "15", "0.3", "3", "3"]
    assert one["source"].startswith(GIVEN)
    (unused,) = shared.get("/v1/prices/models?model=gpt-4o-mini")["data"]
    assert (unused["call_count"], unused["input"], unused["last_seen"]) == (0, "0.15", None)
    assert [len(shared.get(f"/v1/prices/models?since={year}-01-01")["data"]) for year in (1000, 2099, 9999)] == [
        2,
        0,
        0,
    ]
    send(shared, a_call(3, more={"gen_ai.request.model": ""}))
    assert None in [one["model"] for one in shared.get("/v1/prices/models")["data"]]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_another_site_changes_no_price(shared: Server, method: str) -> None:
    """A request with a foreign origin is refused, as is one whose content type a form can have."""
    path = {"PUT": "/v1/prices", "DELETE": f"/v1/prices?model={MODEL}", "POST": "/v1/prices/recompute"}[method]
    body = {"PUT": {"model": MODEL, "input": 1}, "POST": {}}.get(method)
    assert ask(shared, method, path, body, Origin="https://evil.example").status == 403
    if body is not None:
        assert ask(shared, method, path, body, Content_Type="text/plain").status == 415
    assert shared.get("/v1/prices")["data"] == []


def test_a_given_price_comes_before_the_prices_file(tmp_path: Path) -> None:
    """The file applies where no price is given, and again when it is taken back; a server needs no file."""
    prices = tmp_path / "prices.toml"
    prices.write_text(f'[[price]]\nmodel = "{MODEL}"\ninput = 7\noutput = 0\n')
    with Server(tmp_path / "store", "--prices", str(prices)) as server:
        for trace, change in enumerate((None, "PUT", "DELETE"), 1):
            if change == "PUT":
                give(server, input="1", output="0")
            elif change == "DELETE":
                ask(server, "DELETE", f"/v1/prices?model={MODEL}")
            send(server, a_call(trace))
            server.get(path_of("s"))
        assert costs(server) == ("15", "15", "15", 0)


def test_what_caches_cost_follows_the_price(server: Server) -> None:
    """The cost of writing a cache again is that of the price when the calls were stored, also in the list of calls."""
    usage = {
        "gen_ai.provider.name": "anthropic",
        "gen_ai.usage.output_tokens": 0,
        "gen_ai.usage.cache_creation.input_tokens": 1_000_000,
        "gen_ai.usage.cache_read.input_tokens": 0,
    }
    give(server, input="2", output="0", cache_read="1", cache_write="3")
    minute = 60 * 10**9
    for number in range(2):
        at = {"start_time_unix_nano": AT + number * minute, "end_time_unix_nano": AT + number * minute + 1}
        send(server, {**a_call(number + 1, more=usage), **at})
    before = server.get(path_of("s"))["data"]["cache"]
    calls = server.get(path_of("s", "calls"))["data"]
    give(server, input="20", output="0", cache_read="10", cache_write="30")
    assert server.get(path_of("s"))["data"]["cache"] == before
    assert server.get(path_of("s", "calls"))["data"] == calls
    recompute(server)
    assert costs(server).total == "60"
