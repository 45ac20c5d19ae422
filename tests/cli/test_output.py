"""Items are written so that a program can read them and a terminal does not act on them."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest
from tests.cli.answering import Answering, page
from tests.cli.sending import a_session
from tests.cli.terminal import in_pipe, in_terminal
from typer import Exit

from otel_sessions.cli.files.output import output_file

HOSTILE = "a\x1b[2J\tb\nc\x9b31m\u202ed\ud800é"


@pytest.mark.parametrize("layout", ["--json", "--jsonl"])
def test_json_of_hostile_texts(layout: str) -> None:
    """JSON reads back as it was sent, and no character in it acts on a terminal."""
    with Answering(lambda _: page([a_session("s", name=HOSTILE)])) as server:
        ran = in_pipe("list", layout, "--url", server.url)
    value = json.loads(ran.out)
    assert (value[0] if layout == "--json" else value)["name"] == HOSTILE
    assert "é" in ran.out
    assert all(one.isprintable() or one == "\n" for one in ran.out)


def test_json_for_a_stdout_of_few_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stdout cannot have all characters, JSON escapes them."""
    with Answering(lambda _: page([a_session("s", name="é")])) as server:
        ran = in_terminal(monkeypatch, 80, "list", "--json", "--url", server.url, encoding="ascii")
    assert "\\u00e9" in ran.out
    assert json.loads(ran.out)[0]["name"] == "é"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (1.5, "1.5"),
        (10**20, "100000000000000000000"),
        ("0.10", "0.10"),
        (["a", "b"], "a,b"),
        ([], ""),
        ([{"model": "x"}], '[{"model": "x"}]'),
        ({"a": 1}, '{"a": 1}'),
        ("a\tb\nc", "a\\tb\\nc"),
        (["a\tb"], "a\\tb"),
    ],
)
def test_values_between_tabs(value: object, text: str) -> None:
    """A line has as many tabs as it has fields but one, whatever is in them."""
    with Answering(lambda _: page([a_session("s", name=value)])) as server:
        ran = in_pipe("list", "--fields", "id,name,status", "--url", server.url)
    assert ran.out == f"s\t{text}\tok\n"


def test_a_pipe_whose_reader_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is written into a closed pipe ends the command without an error."""
    read, write = os.pipe()
    os.close(read)
    with io.TextIOWrapper(os.fdopen(write, "wb")) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(Exit) as ended, output_file("-") as file:
            file.write(b"x")
    assert ended.value.exit_code == 0
