"""A server counts the calls that coding agents tell of, in spans, log records or both, whatever order, split and end it meets."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.counting.emitters import SAID, Said, Tokens
from tests.server.running import Server
from tests.server.telling import assert_consistent, renamed, requests_of, send

GAPS = (0, 5, 1_500, 60_000, 299_000, 3_600_000)
"""Milliseconds between two calls: some at the same time, some in other cells."""

NUMBERS = ("call_count", "input_tokens", "output_tokens", "total_tokens", "unpriced_call_count")


def calls_of(rng: random.Random, first: int, count: int) -> list[Tokens]:
    """Calls whose tokens differ, some of them at the same time."""
    end, calls = 1_000 + 86_400_000 * first, []
    for number in range(first, first + count):
        end += rng.choice(GAPS)
        read, written = rng.choice([(0, 0), (3, 0), (2, 5)])
        calls.append(Tokens(number, end, 100 * number + 10 + rng.randint(0, 3), read, written, rng.randint(1, 50)))
    return calls


def tellings(rng: random.Random, emitter: str, call: Tokens) -> list[Said]:
    """Spans, records or both of a call, each whole."""
    spans, records = SAID[emitter]
    which = rng.choice(["spans", "records", "both"])
    return [*(spans(call) if which != "records" else ()), *(records(call) if which != "spans" else ())]


def shuffled(rng: random.Random, said: list[Said]) -> Iterator[list[Said]]:
    """The same in any order and any split, some of it twice."""
    left = [*said, *rng.sample(said, min(len(said), 3))]
    rng.shuffle(left)
    while left:
        size = rng.randint(1, 6)
        yield left[:size]
        left = left[size:]


def assert_right(server: Server, session: str, calls: list[Tokens]) -> Any:
    """The session has these calls, everywhere where it is shown."""
    found = assert_consistent(server, session)
    assert found["call_count"] == len(calls)
    assert found["input_tokens"] == sum(call.input for call in calls)
    assert found["output_tokens"] == sum(call.output for call in calls)
    assert found["total_tokens"] == sum(call.input + call.output for call in calls)
    return found


@pytest.mark.parametrize("seed", range(2))
def test_each_emitter_in_any_telling(tmp_path: Path, seed: int) -> None:
    """Sessions of all emitters, told in any way over kills and restarts, have their calls and show the same numbers everywhere."""
    rng = random.Random(2620 + seed)
    truth: dict[str, list[Tokens]] = {}
    said: list[Said] = []
    for place, emitter in enumerate(SAID):
        calls = truth[emitter] = calls_of(rng, 20 * place, 8)
        said += [renamed(one, emitter) for call in calls for one in tellings(rng, emitter, call)]
    requests = [request for some in shuffled(rng, said) for request in requests_of(some, in_json=rng.random() < 0.5)]
    thirds = [requests[part::3] for part in range(3)]
    for number, third in enumerate(thirds):
        with Server(tmp_path) as server:
            send(server, *third)
            if number == 1:
                server.stop()
    with Server(tmp_path) as server:
        found = [assert_right(server, emitter, calls) for emitter, calls in truth.items()]
        assert {one["id"] for one in found} == set(SAID)
        send(server, *requests)
        assert [assert_right(server, emitter, calls) for emitter, calls in truth.items()] == found
