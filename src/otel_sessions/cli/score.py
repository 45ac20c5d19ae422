"""`otel-sessions score`."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from otel_sessions.cli.client import session_path
from otel_sessions.cli.errors import WRONG_USAGE, CommandError, ending
from otel_sessions.cli.output import JsonOption
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import SessionArgument, found_session
from otel_sessions.cli.told import tell


def score(
    session: SessionArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What is scored, such as correctness.")],
    value: Annotated[str | None, typer.Argument(metavar="[VALUE]", help="A number.", show_default=False)] = None,
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    label: Annotated[str | None, typer.Option(help="A word for it, such as pass.")] = None,
    comment: Annotated[str | None, typer.Option(help="Why.")] = None,
    trace: Annotated[str | None, typer.Option(metavar="TRACE_ID", help="Score this trace of the session.")] = None,
    span: Annotated[
        str | None, typer.Option(metavar="SPAN_ID", help="Score this span; --trace names its trace.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Score a session, a trace or a span: a number, a label, or both.

    Scores are added, never changed. A negative number comes after --, as in: score ID NAME -- -1
    """
    with ending():
        if value is None and label is None:
            raise CommandError("a score has a VALUE, a --label, or both; give one of them", status=WRONG_USAGE)
        if span is not None and trace is None:
            raise CommandError("--span needs --trace, since the ids of spans repeat", status=WRONG_USAGE)
        wanted: dict[str, Any] = {
            "name": name,
            "value": None if value is None else number_of(value),
            "label": label,
            "comment": comment,
            "trace_id": trace,
            "span_id": span,
        }
        body = {field: one for field, one in wanted.items() if one is not None}
        with asking(url, store) as client:
            id_ = str(found_session(client, session, key)["id"])
            answer = client.post(session_path(id_, "scores"), body, {"key": key})
            shown = label if value is None else value
            tell(answer, f"scored {id_}: {name} {shown}", json=json)


def number_of(text: str) -> float:
    """The number of a score.

    Raises:
        CommandError: it is no finite number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CommandError(
            f"{text!r} is no number that can be a score; write it like 0.8, and words as --label", status=WRONG_USAGE
        )
    return value
