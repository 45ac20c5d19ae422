"""`otel-sessions query` runs SQL on the server and shows the rows."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from tests.cli.answering import Answering, error
from tests.cli.terminal import in_pipe, in_terminal

ANSWER = {
    "columns": [{"name": "Id", "type": "String"}, {"name": "Count", "type": "UInt64"}, {"name": "More", "type": "Map"}],
    "data": [["a,\tb", 12_345, {"x": 1}], ["c", None, None]],
    "truncated": True,
}
OBJECTS = {"data": [{"Id": "a"}, {"Id": "b", "More": 1}]}


@pytest.fixture(scope="module")
def double() -> Iterator[Answering]:
    """A server with one answer."""
    with Answering(lambda _: (200, ANSWER)) as double:
        yield double


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_table(double: Answering, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """A terminal gets a table that fits it, and is told that there are more rows."""
    ran = in_terminal(monkeypatch, columns, "query", "SELECT 1", "--url", double.url)
    assert (ran.status, ran.error) == (0, "there are more than these 2 rows; --limit shows more")
    lines = ran.out.splitlines()
    assert max(map(cell_len, lines)) <= columns
    assert lines[0].startswith("Id")
    assert (double.asked[-1].method, double.asked[-1].path) == ("POST", "/v1/query")
    assert double.asked[-1].body == {"sql": "SELECT 1", "limit": 1_000}


def test_for_programs(double: Answering) -> None:
    """A pipe gets lines with tabs; JSON has objects; CSV has a head."""
    assert in_pipe("query", "x", "--url", double.url).out == 'a,\\tb\t12345\t{"x": 1}\nc\t\t\n'
    rows = [{"Id": "a,\tb", "Count": 12_345, "More": {"x": 1}}, {"Id": "c", "Count": None, "More": None}]
    assert json.loads(in_pipe("query", "x", "--url", double.url, "--json").out) == rows
    assert json.loads(in_pipe("query", "x", "--url", double.url, "--jsonl").out.splitlines()[1]) == rows[1]
    written = in_pipe("query", "x", "--url", double.url, "--csv", "--fields", "Count,Id").out
    assert list(csv.reader(io.StringIO(written))) == [["Count", "Id"], ["12345", "a,\\tb"], ["", "c"]]


def test_an_answer_with_objects() -> None:
    """Rows may be objects, which do not all have the same names."""
    with Answering(lambda _: (200, OBJECTS)) as double:
        assert in_pipe("query", "x", "--url", double.url).out == "a\t\nb\t1\n"


def test_sql_from_stdin(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement can come from a file."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 2\n"))
    in_terminal(monkeypatch, 80, "query", "-", "--url", double.url)
    assert double.asked[-1].body == {"sql": "SELECT 2\n", "limit": 1_000}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("x", "--csv", "--json"), "give one of them"),
        ((" ",), "the statement is empty"),
        (("x", "--csv", "--fields", "nope"), "the fields are Id, Count, More"),
        (("x", "--fields", "nope"), "the fields are Id, Count, More"),
    ],
)
def test_wrong_usage(double: Answering, options: tuple[str, ...], said: str) -> None:
    """Options that make no sense have status 2."""
    ran = in_pipe("query", *options, "--url", double.url)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.error


def test_a_refused_statement() -> None:
    """The server's message is shown as one line."""
    with Answering(lambda _: error(400, "only SELECT\nis allowed")) as double:
        ran = in_pipe("query", "DROP TABLE x", "--url", double.url)
    assert (ran.status, ran.error) == (2, "only SELECT is allowed")
