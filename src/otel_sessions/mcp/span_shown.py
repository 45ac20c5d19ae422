"""A span as answers show it: what it is, and its attributes with their lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from otel_sessions.mcp.answers import Answer
from otel_sessions.mcp.asking import Ask
from otel_sessions.mcp.refs import SpanRef
from otel_sessions.mcp.rooms import Call, Room, json_text
from otel_sessions.mcp.session_shown import reading
from otel_sessions.mcp.tool import Made

_FIRST: Final = ("gen_ai.", "session.", "error.")


def span_path(ref: SpanRef) -> str:
    """Where REST has a span."""
    return f"/v1/traces/{ref.trace_id}/spans/{ref.span_id}"


def span_answer(ask: Ask, ref: SpanRef, arguments: Mapping[str, Any]) -> Made:
    """Ask for a span; the rows are its fields."""
    span = ask.get(span_path(ref))["data"]
    fields = list(fields_of(span))
    offset = max(0, len(fields) + arguments["offset"]) if arguments["offset"] < 0 else arguments["offset"]
    page = fields[offset : offset + arguments["limit"]]

    def following(count: int) -> Call | None:
        after = offset + count
        if after >= len(fields) or not page:
            return None
        return Call(
            "get_session", {"id": str(ref), "limit": arguments["limit"], "budget": arguments["budget"], "offset": after}
        )

    def made(room: Room) -> Answer:
        told = {"id": str(ref), "name": room.text(span["name"], reading(ref, "name"))}
        told |= {name: span[name] for name in ("kind", "start", "end", "duration_ms")}
        told["status"] = span["status"]["code"]
        parent = span["parent_span_id"]
        told["parent"] = parent and str(SpanRef(ref.trace_id, parent))
        told["service"] = room.text(span["resource"]["service_name"], reading(ref, "resource.service_name"))
        if message := error_of(span):
            told["error"] = room.text(message, reading(ref, "error"))
        return Answer(
            head={"span": told},
            rows=[field_shown(name, value, ref, room) for name, value in page],
            name="fields",
            total=len(fields),
            before=offset,
            following=following,
            link=None if ask.pages is None else f"{ask.pages}/traces/{ref.trace_id}",
        )

    return made


def error_of(span: Mapping[str, Any]) -> str | None:
    """What went wrong in a span, as its status or else its first exception says."""
    said = [span["status"]["message"], *(event["attributes"].get("exception.message") for event in span["events"])]
    return next((one for one in said if isinstance(one, str) and one), None)


def field_shown(name: str, value: Any, ref: object, room: Room) -> dict[str, Any]:
    """A field of a list: its length, and as much of its value as there is room for."""
    whole = json_text(value)
    shown_name = name if len(name) <= 200 else name[:200]
    return {"field": shown_name, "length": len(whole), "value": room.text(value, reading(ref, name[:1_000]))}


def fields_of(span: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a span by the names that `get_payload` takes, its attributes first."""
    attributes = span["attributes"]
    yield from _sorted("attributes", attributes)
    for place, event in enumerate(span["events"]):
        yield f"events.{place}.name", event["name"]
        yield from _sorted(f"events.{place}.attributes", event["attributes"])
    for place, link in enumerate(span["links"]):
        yield f"links.{place}", f"span:{link['trace_id']}/{link['span_id']}"
    yield from _sorted("resource.attributes", span["resource"]["attributes"])
    yield "scope.name", span["scope"]["name"]


def _sorted(prefix: str, attributes: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    names = sorted(attributes, key=lambda name: (not name.startswith(_FIRST), name))
    return [(f"{prefix}.{name}", attributes[name]) for name in names]
