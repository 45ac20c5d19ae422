"""`otel-sessions prices`: what models cost, prices that are given by hand, and pricing again what is counted already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.errors import NOT_FOUND, CommandError, ending
from otel_sessions.cli.output import FieldsOption, JsonLinesOption, JsonOption, Layout, Listing, write
from otel_sessions.cli.recomputing import Recomputed, recompute_prices
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import found_session
from otel_sessions.cli.shown import amount, decimal, dollars, now_ns, number
from otel_sessions.cli.since import moment_of
from otel_sessions.cli.tables import UNKNOWN, Column, cell
from otel_sessions.cli.told import tell

FIELDS: Final = (
    "model",
    "provider",
    "call_count",
    "unpriced_call_count",
    "input",
    "output",
    "cache_read",
    "cache_write",
    "source",
)
"""What a line with tabs has."""

prices: Final = typer.Typer(
    help="Show what models cost, give models prices, and price again what is counted already.", no_args_is_help=True
)

ProviderOption = Annotated[str | None, typer.Option(metavar="PROVIDER", help="Only calls of this provider.")]
_PRICE: Final = "USD"


@prices.command()
def show(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="One model.", show_default="all")] = None,
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    provider: ProviderOption = None,
    since: Annotated[
        str | None, typer.Option(metavar="AGE|TIME", help="Only models used since then: 2h, 30d, 2026-11-20.")
    ] = None,
    given: Annotated[bool, typer.Option("--given", help="Show only prices that were given by hand.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="How many to list at most.", show_default="all")] = None,
    json: JsonOption = False,
    jsonl: JsonLinesOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show what the models cost that the sessions use, in USD per million tokens, those without a price first.

    These are the prices of calls that are stored from now on; those of calls with a small input, where the input matters.
    """
    with ending():
        layout = Layout.of(json=json, jsonl=jsonl, fields=fields)
        asked = {"model": model, "provider": None if given else provider}
        asked |= {} if given else {"key": key, "since": None if since is None else moment_of(since, now=now_ns())}
        wanted = {name: value for name, value in asked.items() if value is not None}
        path, listing = ("/v1/prices", _GIVEN) if given else ("/v1/prices/models", _MODELS)
        with asking(url, store) as client:
            write(client.items(path, wanted, most=limit), layout, listing)


@prices.command("set")
def set_price(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The name of the model, or a beginning of names and a *.")
    ],
    *,
    input_: Annotated[
        str | None, typer.Option("--input", metavar=_PRICE, help="Price of a million input tokens.")
    ] = None,
    output: Annotated[str | None, typer.Option(metavar=_PRICE, help="The same of output tokens.")] = None,
    cache_read: Annotated[
        str | None,
        typer.Option(metavar=_PRICE, help="The same of tokens that are read from a cache.", show_default="as input"),
    ] = None,
    cache_write: Annotated[
        str | None,
        typer.Option(metavar=_PRICE, help="The same of tokens that are written to one.", show_default="as input"),
    ] = None,
    provider: ProviderOption = None,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day of the price, in UTC: 2026-11-20.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="The first day without the price, in UTC.")] = None,
    url: UrlOption = None,
    store: FolderOption = None,
    json: JsonOption = False,
) -> None:
    """Give a model a price in USD per million tokens, for calls that are stored from now on.

    It comes before the prices file and the public prices, and replaces a price of the same model, provider and days. What is counted
    already keeps its cost until: otel-sessions prices recompute
    """
    with ending():
        asked = {
            "model": model,
            "provider": provider,
            "input": input_,
            "output": output,
            "cache_read": cache_read,
            "cache_write": cache_write,
            "from": first_day,
            "until": until,
        }
        body = {name: value for name, value in asked.items() if value is not None}
        with asking(url, store) as client:
            answer = client.put("/v1/prices", body)
            tell(
                answer,
                f"{_told(answer['data'])}; for what is counted already: otel-sessions prices recompute",
                json=json,
            )


@prices.command()
def unset(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model as its price was given.")],
    *,
    provider: Annotated[
        str | None, typer.Option(metavar="PROVIDER", help="Only the prices of this provider.", show_default="all")
    ] = None,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Only the price with this first day.")
    ] = None,
    url: UrlOption = None,
    store: FolderOption = None,
    json: JsonOption = False,
) -> None:
    """Take the given prices of a model back, for calls that are stored from now on."""
    with ending():
        asked = {"model": model, "provider": provider, "from": first_day}
        with asking(url, store) as client:
            answer = client.delete("/v1/prices", {name: value for name, value in asked.items() if value is not None})
            gone = answer["data"]["prices"]
            if not gone:
                raise CommandError(
                    f"no such price of {model} was given; see: otel-sessions prices show --given", status=NOT_FOUND
                )
            tell(answer, "; ".join(f"took back {_told(price)}" for price in gone), json=json)


@prices.command()
def recompute(
    *,
    session: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only this session: its id, a beginning of it, or last.", show_default="all"),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="AGE|TIME", help="Only traces that went on since then: 2h, 30d, 2026-11-20."),
    ] = None,
    key: KeyOption = DEFAULT_KEY,
    url: UrlOption = None,
    store: FolderOption = None,
    json: JsonOption = False,
) -> None:
    """Price what is counted already again, by the prices of now, and say how much the totals changed.

    Costs that calls report themselves stay. It can be stopped, and run again, at any time.
    """
    with ending(), asking(url, store) as client:
        body: dict[str, Any] = {}
        if session is not None:
            body |= {"session": str(found_session(client, session, key)["id"]), "key": key}
        if since is not None:
            body["since"] = moment_of(since, now=now_ns())
        done = recompute_prices(client, body)
        tell({"data": done.to_dict()}, _changes(done), json=json)


def _changes(done: Recomputed) -> str:
    head = f"priced {number(done.trace_count)} traces again, of which {number(done.changed_trace_count)} cost something else"
    changed = [
        f"sessions by {one['key']}: {_cost(one, 'before')} before, {_cost(one, 'after')} now"
        for one in done.costs
        if any(one[f"{name}_before"] != one[f"{name}_after"] for name in ("total_cost", "unpriced_call_count"))
    ]
    return "; ".join([head, *changed])


def _cost(change: Mapping[str, Any], when: str) -> str:
    cost, unpriced = decimal(change[f"total_cost_{when}"]), change[f"unpriced_call_count_{when}"]
    shown = "no known cost" if cost is None else f"{'at least ' if unpriced else ''}{dollars(cost)}"
    return f"{shown} ({number(unpriced)} calls without a price)" if unpriced else shown


def _told(price: Mapping[str, Any]) -> str:
    parts = [
        f"{dollars(cost)} {name.replace('_', ' ')}"
        for name in ("input", "output", "cache_read", "cache_write")
        if (cost := decimal(price[name])) is not None
    ]
    days = [f"{word} {price[word]}" for word in ("from", "until") if price[word] is not None]
    of = [] if price["provider"] is None else [f"of {price['provider']}"]
    return " ".join([price["model"], *of, *days]) + f": {', '.join(parts)} per million tokens"


def _rate(item: Mapping[str, Any], name: str) -> str:
    return amount(item.get(name))


def _model(item: Mapping[str, Any]) -> str:
    return cell(str(item.get("model") or UNKNOWN))


_RATES: Final = (
    Column("INPUT", lambda one: _rate(one, "input"), rank=1, right=True),
    Column("OUTPUT", lambda one: _rate(one, "output"), rank=2, right=True),
    Column("CACHE READ", lambda one: _rate(one, "cache_read"), rank=6, right=True),
    Column("CACHE WRITE", lambda one: _rate(one, "cache_write"), rank=7, right=True),
)
_NAMES: Final = (
    Column("MODEL", _model, rank=0, flexible=True, narrowest=12),
    Column("PROVIDER", lambda one: cell(str(one.get("provider") or "")), rank=5, flexible=True),
)
_MODELS: Final = Listing(
    columns=lambda _: (
        *_NAMES,
        Column("CALLS", lambda one: number(one.get("call_count")), rank=8, right=True),
        Column("UNPRICED", lambda one: number(one.get("unpriced_call_count")), rank=3, right=True),
        *_RATES,
        Column("SOURCE", lambda one: cell(str(one.get("source") or "no price is known")), rank=4, flexible=True),
    ),
    fields=FIELDS,
    empty="no session of this key has calls of a model",
)
_GIVEN: Final = Listing(
    columns=lambda _: (
        *_NAMES,
        *_RATES,
        Column("FROM", lambda one: cell(str(one.get("from") or "")), rank=3),
        Column("UNTIL", lambda one: cell(str(one.get("until") or "")), rank=4),
    ),
    fields=("model", "provider", "input", "output", "cache_read", "cache_write", "from", "until", "given"),
    empty="no price was given; to give one: otel-sessions prices set MODEL --input USD --output USD",
)
