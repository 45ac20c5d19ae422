"""`write`: the items of a list on stdout, as a table for people, as lines for programs, or as JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.errors import WRONG_USAGE, CommandError, say
from otel_sessions.cli.tables import Column, cell, print_table, shown_name
from otel_sessions.server.process.log_lines import escaped

Item = Mapping[str, Any]

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value, a list.")]
JsonLinesOption = Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")]
FieldsOption = Annotated[
    str | None, typer.Option("--fields", metavar="A,B", help="Print these fields, named as in JSON, in this order.")
]

# JSON need not escape these, but a terminal acts on some, and others cannot be written.
_UNESCAPED: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Layout:
    """How items are written: as one JSON value, as a JSON object a line, or else as a table or as lines with tabs.

    Attributes:
        json: one JSON value.
        lines: a JSON object a line.
        fields: the names of the fields, `None` for those that the command chooses.
    """

    json: bool = False
    lines: bool = False
    fields: tuple[str, ...] | None = None

    @classmethod
    def of(cls, *, json: bool, jsonl: bool, fields: str | None) -> Layout:
        """The layout that the options of a command ask for.

        Raises:
            CommandError: they contradict each other.
        """
        if json and jsonl:
            raise CommandError("--json and --jsonl are two layouts; give one of them", status=WRONG_USAGE)
        if fields is None:
            return cls(json, jsonl)
        names = tuple(name.strip() for name in fields.split(","))
        if not all(names):
            raise CommandError("--fields names an empty field; write it like --fields id,name", status=WRONG_USAGE)
        return cls(json, jsonl, names)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a command shows of its items unless it is told which fields.

    Attributes:
        columns: of the table, for these items.
        fields: of the lines with tabs.
        empty: the message if there are no items.
        summary: the last line of the table, from all items.
        is_faint: the items that a table shows faintly.
        texts: fields of the lines with tabs that an item does not have as they are shown, such as the words of a message.
        show: prints the items for people, instead of a table.
    """

    columns: Callable[[Sequence[Item]], Sequence[Column]]
    fields: tuple[str, ...]
    empty: str
    summary: Callable[[Sequence[Item]], str] | None = None
    is_faint: Callable[[Item], bool] = lambda _: False
    texts: Mapping[str, Callable[[Item], str]] = field(default_factory=dict)
    show: Callable[[Iterable[Item]], None] | None = None


def write(items: Iterable[Item], layout: Layout, listing: Listing) -> None:
    """Write the items to stdout; what is said about them goes to stderr, except for the last line of a table.

    Raises:
        CommandError: the items do not have one of the fields.
    """
    write_any_text()
    found = _checked(items, layout.fields)
    if layout.lines:
        for item in found:
            typer.echo(as_json(_picked(item, layout.fields)))
        return
    if layout.json:
        typer.echo(as_json([_picked(item, layout.fields) for item in found], indent=2))
        return
    found = iter(found)
    first = next(found, None)
    if first is None:
        say(listing.empty)
        return
    found = chain([first], found)
    if not sys.stdout.isatty():
        _write_lines(found, layout.fields or listing.fields, listing)
    elif listing.show and layout.fields is None:
        listing.show(found)
    else:
        rows = list(found)
        columns = listing.columns(rows) if layout.fields is None else tuple(map(_plain_column, layout.fields))
        print_table(rows, columns, is_faint=listing.is_faint, last_line=listing.summary and listing.summary(rows))


def write_one(item: Item, layout: Layout, show: Callable[[Item], None]) -> None:
    """Write one item: as JSON, as its chosen fields between tabs, or for people; in a pipe a line a field, with its name.

    Raises:
        CommandError: the item does not have one of the fields.
    """
    write_any_text()
    for found in _checked([item], layout.fields):
        if layout.json or layout.lines:
            typer.echo(as_json(_picked(found, layout.fields), indent=2 if layout.json else None))
        elif layout.fields is not None:
            typer.echo("\t".join(value_text(found.get(name)) for name in layout.fields))
        elif sys.stdout.isatty():
            show(found)
        else:
            for name, value in found.items():
                typer.echo(f"{escaped(name)}\t{value_text(value)}")


def write_any_text() -> None:
    """Have stdout replace characters that its encoding does not have."""
    # Streams that tests put in its place may not have this method.
    with suppress(AttributeError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]


def _write_lines(items: Iterable[Item], fields: Sequence[str], listing: Listing) -> None:
    kept = []
    for item in items:
        typer.echo("\t".join(_shown_field(item, name, listing) for name in fields))
        if listing.summary:
            kept.append(item)
    if listing.summary:
        say(listing.summary(kept))


def _shown_field(item: Item, name: str, listing: Listing) -> str:
    return escaped(listing.texts[name](item)) if name in listing.texts else value_text(item.get(name))


def as_json(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON without characters that a terminal acts on."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    written = json.dumps(value, ensure_ascii=not is_unicode, indent=indent)
    return _UNESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", written)


def _checked(items: Iterable[Item], fields: Sequence[str] | None) -> Iterable[Item]:
    """The same items, once the first of them has all fields."""
    rest = iter(items)
    for first in rest:
        missing = next((name for name in fields or () if name not in first), None)
        if missing is not None:
            raise CommandError(f"there is no field {missing!r}; the fields are {', '.join(first)}", status=WRONG_USAGE)
        return chain([first], rest)
    return ()


def _picked(item: Item, fields: Sequence[str] | None) -> Item:
    return item if fields is None else {name: item.get(name) for name in fields}


def _plain_column(name: str) -> Column:
    return Column(shown_name(name), lambda item: cell(value_text(item.get(name))), flexible=True)


def value_text(value: Any) -> str:
    """A value between tabs: unknown is empty, texts stand as they are, and several are separated by commas."""
    if value is None:
        return ""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return escaped(",".join(value))
    return escaped(as_json(value))
