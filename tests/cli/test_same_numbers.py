"""REST and the commands give the same number for the same question, for every measure that there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import pytest
from tests.cli.terminal import in_pipe
from tests.server.conversing import AT, CALL, SECOND, key_values, span
from tests.server.running import Server, post

from otel_sessions.counting.measures import MEASURES

Numbers = dict[str, Any]
"""By the id of a session, in order, a measure of it."""

PRICED = {**CALL, "gen_ai.provider.name": "openai"}
UNKNOWN = {**CALL, "gen_ai.request.model": "nobody-knows"}


def sessions() -> Iterator[Any]:
    """Sessions that differ in every measure; of one no cost, tokens or name is known."""
    for number in range(1, 5):
        named = {"session.id": f"s{number}", "session.name": f"n{9 - number}"}
        at = AT + number * number * 60 * SECOND
        for turn in range(number):
            failed = {"status": {"code": 2}} if turn < number // 2 else {}
            used = {"gen_ai.usage.input_tokens": 1_000 * number + turn, "gen_ai.usage.output_tokens": 7}
            place = 10 * number + turn
            yield span(place, place, {**PRICED, **used, **named}, at=at + turn * number * SECOND, **failed)
    yield span(90, 90, {"session.id": "plain"}, at=AT)
    yield span(91, 91, {"session.id": "unpriced", **UNKNOWN}, at=AT + SECOND)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has these sessions."""
    with Server(tmp_path_factory.mktemp("numbers") / "store") as server:
        resource = {"attributes": key_values({"service.name": "shop"})}
        group = {"scope": {"name": "app"}, "spans": list(sessions())}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [group]}]}
        assert post(f"{server.url}/v1/traces", json.dumps(body).encode(), "application/json") == 200
        yield server


def over_rest(server: Server, measure: str, order: str) -> Numbers:
    """What a list of REST has."""
    field = MEASURES[measure].field
    return {one["id"]: one[field] for one in server.get(f"/v1/sessions?sort={measure}&order={order}")["data"]}


def over_rest_one_by_one(server: Server, measure: str, order: str) -> Numbers:
    """What REST says of each session by itself."""
    field = MEASURES[measure].field
    return {id_: server.get(f"/v1/sessions/{id_}")["data"][field] for id_ in over_rest(server, measure, order)}


def in_list(server: Server, measure: str, order: str) -> Numbers:
    """What `list` prints."""
    field = MEASURES[measure].field
    command = ["list", "--sort", measure, "--order", order, "--json", "--fields", f"id,{field}"]
    return {one["id"]: one[field] for one in printed(server, *command)}


def in_get(server: Server, measure: str, order: str) -> Numbers:
    """What `get` prints of each session of that order."""
    field = MEASURES[measure].field
    return {id_: printed(server, "get", id_, "--json")[field] for id_ in in_list(server, measure, order)}


def printed(server: Server, *command: str) -> Any:
    """The JSON that a command prints."""
    ran = in_pipe(*command, "--url", server.url)
    assert (ran.status, ran.err) == (0, "")
    return json.loads(ran.out)


WAYS: Final[Mapping[str, Callable[[Server, str, str], Numbers]]] = MappingProxyType(
    {"rest": over_rest_one_by_one, "list": in_list, "get": in_get}
)
"""The ways to ask; each is compared with the lists of REST. A way that is new is an entry here."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure(server: Server, measure: str, way: str) -> None:
    """Values and order are those of REST, for every measure of the registry."""
    for order in ("desc", "asc"):
        expected = over_rest(server, measure, order)
        known = [value for value in expected.values() if value is not None]
        assert len(set(map(str, known))) >= 3
        assert list(WAYS[way](server, measure, order).items()) == list(expected.items())


def test_totals_of_calls(server: Server) -> None:
    """What the counted calls add up to is what their session says."""
    for session in server.get("/v1/sessions")["data"]:
        ran = in_pipe("calls", session["id"], "--json", "--url", server.url)
        counted = [one for one in json.loads(ran.out) if one["counted"]]
        assert len(counted) == session["call_count"]
        for field in ("input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "reasoning_tokens"):
            known = [one[field] for one in counted if one[field] is not None]
            assert (sum(known) if known else None) == session[field]
        costs = [Decimal(one["total_cost"]) for one in counted if one["total_cost"] is not None]
        assert (sum(costs) if costs else None) == (session["total_cost"] and Decimal(session["total_cost"]))
