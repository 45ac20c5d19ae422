"""The page about messages has the tables of the code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from otel_sessions.content import agent_records, tools
from otel_sessions.content.capture import SWITCHES
from otel_sessions.content.sources import EVENTS, SOURCES, Source
from otel_sessions.dialects.documents import RAW_PROVIDERS

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"


def whole(source: Source) -> list[str]:
    """The attributes that hold a whole conversation."""
    return [name for name, _ in source.whole]


def names(given: Iterable[str]) -> str:
    """The names of attributes, LiteLLM's once for all providers."""
    found = dict.fromkeys(given)
    for provider in RAW_PROVIDERS:
        found = dict.fromkeys(name.replace(f"llm.{provider}.", "llm.<provider>.") for name in found)
    return ", ".join(f"`{name}`" for name in found)


def table(head: str, rows: Iterable[tuple[str, ...]]) -> str:
    """A table of the page."""
    cells = [tuple(head.split(" | ")), *rows]
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "---|" * len(cells[0]), *lines[1:]])


def sources() -> str:
    """Where the messages of each dialect are."""
    return table(
        "dialect | what was asked | what came back",
        (
            (source.title, "events", "events")
            if source is EVENTS
            else (
                source.title,
                names([*whole(source), *(place.name for place in (*source.instructions, *source.input))]),
                names([*whole(source), *(place.name for place in source.output)]),
            )
            for source in SOURCES
        ),
    )


def of_tools() -> str:
    """Where the arguments and the answers of tools are."""
    return table(
        "dialect | arguments | answer",
        (
            (
                place.title,
                f"`{place.arguments}`",
                f"`{place.result}`" if place.result else f"event `{tools.OUTPUT_EVENT}`",
            )
            for place in (*tools.OWN, *tools.ANY)
        ),
    )


def agents() -> str:
    """Whose words are in which attribute of which event."""
    return table(
        "event | attributes",
        (
            (f"`{name}`", f"`{how.name}`, of the {how.role}")
            if isinstance(how, agent_records.Words)
            else (f"`{name}`", ", ".join(f"`{one}`" for one in (*how.arguments, *how.result)) + ", of a tool")
            for name, how in agent_records.EVENTS.items()
        ),
    )


def switches() -> str:
    """What turns capture on."""
    return table(
        "scope begins with | service | what to do",
        (
            (
                ", ".join(f"`{scope}`" for scope in switch.scopes),
                ", ".join(f"`{one}`" for one in switch.services),
                switch.text,
            )
            for switch in SWITCHES
        ),
    )


TABLES = {"sources": sources, "tools": of_tools, "agents": agents, "switches": switches}


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_the_table(name: str) -> None:
    """Each table stands below its mark, line by line as the code has it."""
    assert f"<!-- {name} -->\n\n{TABLES[name]()}\n" in PAGE.read_text(encoding="utf-8")
