"""`otel-sessions prices` shows, gives and takes back prices, and prices again what is counted."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.answering import Answering, Asked, error, page
from tests.cli.terminal import Ran, in_pipe, in_terminal
from tests.exporting import finished
from tests.server.running import Server

from otel_sessions.cli.recomputing import Recomputed

PAGE = Path(__file__).parents[2] / "docs" / "prices.md"
SHOWN = re.findall(r"^\$ otel-sessions (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
USAGE = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "our-own-model",
    "gen_ai.usage.input_tokens": 1_000_000,
    "gen_ai.usage.output_tokens": 0,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a call of a model that has no price."""
    with Server(tmp_path_factory.mktemp("server") / "store") as server:
        assert server.send([finished(1, session="ticket-1", attributes=USAGE)]) == 200
        yield server


def run(server: Server, line: str) -> Ran:
    """Run `otel-sessions prices` with these arguments."""
    return in_pipe("prices", *shlex.split(line), "--url", server.url)


def test_a_price_is_shown_given_used_and_taken_back(server: Server) -> None:
    """What each command says, in the order in which a person needs them."""
    assert run(server, "show").out == "our-own-model\t\t1\t1\t\t\t\t\t\n"
    given = run(server, "set our-own-model --input 3 --output 15 --cache-read 0.3 --from 2026-01-01")
    assert (given.status, given.err) == (0, "")
    assert given.out == (
        "our-own-model from 2026-01-01: $3.00 input, $15.00 output, $0.30 cache read per million tokens; for what is counted "
        "already: otel-sessions prices recompute\n"
    )
    assert run(server, "show our-own-model --fields model,unpriced_call_count,input").out == "our-own-model\t1\t3\n"
    assert run(server, "show --given --fields model,input,from").out == "our-own-model\t3\t2026-01-01\n"
    assert run(server, "recompute").out == (
        "priced 1 traces again, of which 1 cost something else; sessions by id: no known cost (1 calls without a price) before, $3.00 "
        "now\n"
    )
    again = json.loads(run(server, "recompute --session tick --since 2020-01-01 --json").out)
    assert (again["trace_count"], again["changed_trace_count"]) == (1, 0)
    assert run(server, "unset our-own-model --from 2026-01-01").out == (
        "took back our-own-model from 2026-01-01: $3.00 input, $15.00 output, $0.30 cache read per million tokens\n"
    )
    gone = run(server, "unset our-own-model")
    assert gone.status == 3
    assert gone.error == "no such price of our-own-model was given; see: otel-sessions prices show --given"
    assert run(server, "show --given").error.startswith("no price was given")


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("set x", 2, "neither input nor output"),
        ("set x --input -3", 2, "from 0 to 1000000000"),
        ("set x --input nan", 2, "from 0 to 1000000000"),
        ("set x --input 1e40", 2, "from 0 to 1000000000"),
        ("set x --input cheap", 2, "not a number"),
        ("set x --input 1 --from tomorrow", 2, "days such as"),
        ("recompute --session nobody", 3, "no session"),
        ("show --json --jsonl", 2, "two layouts"),
    ],
)
def test_what_cannot_be_done(server: Server, line: str, status: int, said: str) -> None:
    """One line names the problem."""
    ran = run(server, line)
    assert (ran.status, ran.out) == (status, "")
    assert said in ran.error


@pytest.mark.parametrize("line", SHOWN)
def test_the_commands_of_the_page_run(server: Server, line: str) -> None:
    """Each ends with status 0, in the order of the page."""
    ran = in_pipe(*shlex.split(line), "--url", server.url)
    assert ran.status == 0, ran.err


def test_tables(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal models and given prices are tables."""
    run(server, "set gpt-4o --input 3 --output 15 --provider openai --until 2030-01-01")
    models = in_terminal(monkeypatch, 120, "prices", "show", "--url", server.url)
    assert "our-own-model" in models.out
    assert "MODEL" in models.out
    given = in_terminal(monkeypatch, 120, "prices", "show", "--given", "--url", server.url)
    assert "2030-01-01" in given.out
    assert run(server, "unset gpt-4o --provider openai").out.startswith(
        "took back gpt-4o of openai until 2030-01-01: $3.00"
    )


def test_recompute_goes_on_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer names the next request; costs are added up exactly, by session key."""

    def part(key: str, before: str | None, after: str | None) -> dict[str, object]:
        return {
            "key": key,
            "total_cost_before": before,
            "total_cost_after": after,
            "unpriced_call_count_before": 1,
            "unpriced_call_count_after": 0,
        }

    parts = [[part("id", None, "0.1")], [part("id", "0.3", "0.2"), part("ticket", "1", None)], []]

    def answer(asked: Asked) -> tuple[int, object]:
        number = int((asked.body or {}).get("cursor", 0))
        following = None if number == 2 else str(number + 1)
        counts = {"trace_count": 2, "changed_trace_count": 1, "done": 2 * number + 2, "total": 6}
        return 200, {"data": {**counts, "costs": parts[number], "next": following}}

    with Answering(answer) as double:
        done = json.loads(in_pipe("prices", "recompute", "--json", "--url", double.url).out)
        in_words = in_terminal(monkeypatch, 120, "prices", "recompute", "--url", double.url)
    assert (done["trace_count"], done["changed_trace_count"]) == (6, 3)
    assert [(one["key"], one["total_cost_before"], one["total_cost_after"]) for one in done["costs"]] == [
        ("id", "0.3", "0.3"),
        ("ticket", "1", None),
    ]
    assert "sessions by id: at least $0.30 (2 calls without a price) before, $0.30 now" in in_words.out.replace(
        "\n", " "
    )


def test_nothing_was_done() -> None:
    """Without an answer there is nothing to tell."""
    assert Recomputed().to_dict() == {"trace_count": 0, "changed_trace_count": 0, "costs": []}


def test_an_error_ends_it() -> None:
    """A server that refuses ends the command with its message."""
    with Answering(lambda _: error(503, "later")) as double:
        ran = in_pipe("prices", "recompute", "--url", double.url)
    assert (ran.status, ran.error) == (1, "later")
    with Answering(lambda _: page([])) as double:
        assert in_pipe("prices", "show", "--url", double.url).error.startswith("no session of this key")
