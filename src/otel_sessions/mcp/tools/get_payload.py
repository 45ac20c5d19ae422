"""`get_payload`: a value of any size, whole, in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.mcp.answers import Answer
from otel_sessions.mcp.asking import Ask, AskError, MissingError, session_link
from otel_sessions.mcp.logs_shown import log_of
from otel_sessions.mcp.nearby import of_session
from otel_sessions.mcp.parameters import BUDGET_PARAMETER, Parameter
from otel_sessions.mcp.refs import FORMS, LogRef, MessageRef, Ref, SessionRef, SpanRef, TurnRef, ref_of
from otel_sessions.mcp.rooms import Call, Room, json_text
from otel_sessions.mcp.span_shown import error_of, field_shown, fields_of, span_path
from otel_sessions.mcp.tool import Made, Tool
from otel_sessions.mcp.turns import trace_of_turn
from otel_sessions.mcp.written import beginning

NAME: Final = "get_payload"

PARAMETERS: Final = (
    Parameter("id", "string", f"Of what: {FORMS}.", required=True),
    Parameter(
        "field",
        "string",
        (
            "Which value, as answers name it: attributes.NAME, events.0.attributes.NAME or error of a span, parts.0.content of a message, "
            "models of a session. Without it, the fields are listed with their lengths."
        ),
    ),
    Parameter("offset", "integer", "Characters of the value to skip.", default=0, least=0),
    Parameter("key", "string", "The session key of an id that does not name one.", default=ID_KEY),
    BUDGET_PARAMETER,
)


def run(ask: Ask, arguments: Mapping[str, Any], now: int) -> Made:
    """Ask for a value."""
    del now
    ref = ref_of(arguments["id"], key=arguments["key"])
    value = _value(ask, ref)
    link = _link(ask, ref)
    if arguments["field"] is None:
        return _listing(ref, value, arguments, link)
    found = _found(value, arguments["field"])
    if found is _NOTHING:
        named = ", ".join(name[:100] for name, _ in _fields(ref, value) if len(name) <= 200)[:600]
        raise MissingError(
            f"{str(ref)[:300]} has no field {arguments['field'][:200]!r}; it has {named}",
            [Call(NAME, {"id": str(ref)})],
        )
    return _piece(ref, arguments, json_text(found), link)


def _value(ask: Ask, ref: Ref) -> Any:
    """What an id names, as REST tells it."""
    match ref:
        case SessionRef():
            return of_session(ask, ref)["data"]
        case TurnRef():
            return trace_of_turn(ask, ref)
        case MessageRef():
            return of_session(ask, ref.session, f"messages/{ref.number}")["data"]
        case LogRef():
            return log_of(ask, ref)
        case _:
            span = ask.get(span_path(ref))["data"]
            return {**span, "error": error_of(span)}


def _fields(ref: Ref, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(ref, SpanRef):
        yield from fields_of(value)
        return
    for name, one in value.items():
        if name == "parts":
            for place, part in enumerate(one):
                yield from ((f"parts.{place}.{field}", told) for field, told in part.items())
        elif name == "attributes":
            yield from ((f"attributes.{field}", told) for field, told in one.items())
        else:
            yield name, one


def _listing(ref: Ref, value: Mapping[str, Any], arguments: Mapping[str, Any], link: str | None) -> Made:
    """The fields with their lengths; `offset` counts fields."""
    fields = list(_fields(ref, value))
    offset = arguments["offset"]
    page = fields[offset : offset + 200]

    def following(count: int) -> Call | None:
        after = offset + count
        if after >= len(fields) or not page:
            return None
        return Call(NAME, {"id": str(ref), "offset": after, "budget": arguments["budget"]})

    def made(room: Room) -> Answer:
        return Answer(
            head={"of": str(ref)},
            rows=[field_shown(name, one, ref, room) for name, one in page],
            name="fields",
            total=len(fields),
            before=offset,
            following=following,
            link=link,
        )

    return made


def _piece(ref: Ref, arguments: Mapping[str, Any], text: str, link: str | None) -> Made:
    """A piece of a value, as long as the budget allows."""
    field, offset, budget = arguments["field"], arguments["offset"], arguments["budget"]
    if offset > len(text):
        raise AskError(
            f"offset: the value has {len(text):,} characters", [Call(NAME, {"id": str(ref), "field": field})]
        )

    def made_of(piece: str) -> Answer:
        after = offset + len(piece)
        following = Call(NAME, {"id": str(ref), "field": field, "offset": after, "budget": budget})
        notes = list(_notes(text, after))
        return Answer(
            head={
                "of": str(ref),
                "field": field,
                "length": len(text),
                "offset": offset,
                "characters": len(piece),
                "next": following.shown() if after < len(text) else None,
                "value": piece,
            },
            notes=notes,
            link=link,
        )

    around = len(made_of(text[offset : offset + 1]).text(0)) + 40
    piece = beginning(text[offset:], max(1, budget - around)) if offset < len(text) else ""
    return lambda _: made_of(piece)


def _notes(text: str, after: int) -> Iterator[str]:
    if after < len(text):
        yield f"{len(text) - after:,} more characters follow: `next` reads on."
    elif text.endswith(" characters)") and "… (" in text[-40:]:
        yield "The server shows only this much of the value; its last characters say how long it is."


_NOTHING: Final = object()


def _found(value: Any, path: str) -> Any:
    """The value at a path of names and places with dots between them; names may have dots themselves."""
    if isinstance(value, Mapping):
        if path in value:
            return value[path]
        for end, character in enumerate(path):
            if character == "." and path[:end] in value:
                found = _found(value[path[:end]], path[end + 1 :])
                if found is not _NOTHING:
                    return found
    elif isinstance(value, list):
        place, _, rest = path.partition(".")
        if place.isdecimal() and len(place) < 10 and int(place) < len(value):
            return _found(value[int(place)], rest) if rest else value[int(place)]
    return _NOTHING


def _link(ask: Ask, ref: Ref) -> str | None:
    if isinstance(ref, SpanRef):
        return None if ask.pages is None else f"{ask.pages}/traces/{ref.trace_id}"
    return session_link(ask, ref if isinstance(ref, SessionRef) else ref.session)


TOOL: Final = Tool(
    NAME,
    "Get a payload",
    (
        "A value that another answer has cut, whole, in pieces: an attribute of a span, a part of a message, a log record, a list of a session. "
        "Take id, field and offset from that answer. Without field it lists the fields with their lengths."
    ),
    PARAMETERS,
    run,
)
