"""The reference of the commands is what their help says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
from tests.cli.answering import Answering
from tests.cli.terminal import in_pipe
from tests.cli.test_hostile_texts import Told
from tools.cli_reference import PAGE, renewed

from otel_sessions.cli.app import app

TEXT = PAGE.read_text(encoding="utf-8")
SHOWN = [
    line
    for block in re.findall(r"^```console\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server with one session."""
    with Answering(Told("x").answer) as server:
        yield server.url


def test_the_page_is_as_the_help() -> None:
    """The page has the help of every command; if this fails, run: python -m tools.cli_reference."""
    assert renewed(TEXT) == TEXT
    named = [command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands]  # type: ignore[union-attr]
    named += [str(group.name) for group in app.registered_groups]
    assert sorted(re.findall(r"^## ([a-z-]+)$", TEXT, re.MULTILINE)) == sorted(named)


@pytest.mark.parametrize("line", SHOWN)
def test_each_command_of_the_page_runs(line: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command that the page shows ends with status 0."""
    monkeypatch.setenv("OTEL_SESSIONS_URL", url)
    program, *arguments = shlex.split(line.removeprefix("$ "))
    assert program == "otel-sessions"
    ran = in_pipe(*arguments)
    assert ran.status == 0, ran.err
