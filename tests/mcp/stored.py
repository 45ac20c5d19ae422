"""A server that has exactly the items that a test gives, with plain values where the test says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.mcp.asks import PAGES
from tests.mcp.synthetic import SPAN, TIME, TRACE, Synthetic

from otel_sessions.mcp.asking import MissingError

SPAN_ID = f"span:{TRACE}/{SPAN}"
LARGEST_PAGE = 1_000

Item = Mapping[str, Any]


class Stored:
    """Answers with pages of lists, named as REST names them: `sessions`, `messages`, `steps`, `logs`, `calls`, `traces`."""

    def __init__(
        self,
        *,
        span: Item | None = None,
        session: Item | None = None,
        tools: Sequence[Item] = (),
        pages: str | None = PAGES,
        **lists: Sequence[Item],
    ) -> None:
        self.pages = pages
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._span, self._session, self._tools, self._lists = span, session, tools, lists

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer."""
        given = dict(parameters or {})
        before, _, last = path.rpartition("/")
        self.asked.append((last, given))
        if path.startswith("/v1/traces/"):
            return {"data": self._span}
        if before.endswith("/messages"):
            return {"data": self._lists["messages"][int(last)]}
        if last not in ("sessions", "messages", "steps", "logs", "calls", "traces"):
            if self._session is None:
                raise MissingError("there is nothing")
            return {"data": self._session}
        items = self._lists.get(last, ())
        offset, limit = int(given.get("offset", "0")), min(LARGEST_PAGE, int(given.get("limit", "50")))
        page = {"total": len(items), "next": None}
        return {"data": items[offset : offset + limit], "pagination": page, "tools": self._tools}

    def asked_of(self, last: str) -> dict[str, str]:
        """The parameters of the last question about a list."""
        return [given for one, given in self.asked if one == last][-1]


def _made(kind: str, **values: Any) -> dict[str, Any]:
    """What a server answers, with short values for those that the test does not give."""
    return {**getattr(Synthetic(1), kind)(), **values}


def span(**values: Any) -> dict[str, Any]:
    """A span that went well, without attributes."""
    plain: dict[str, Any] = {
        "parent_span_id": None,
        "name": "chat",
        "status": {"code": "ok", "message": ""},
        "attributes": {},
        "events": [],
        "links": [],
        "resource": {"service_name": "agent", "attributes": {}},
        "scope": {"name": "scope"},
    }
    return _made("span", **{**plain, **values})


def message(*parts: Item, **values: Any) -> dict[str, Any]:
    """A message with these parts."""
    plain = {"content": None, "switch": None, "truncated": False, "lane": None, "fork": None, "call": None}
    return _made("message", **{**plain, "parts": list(parts), **values})


def step(**values: Any) -> dict[str, Any]:
    """A step that went well, of a span."""
    plain = {"trace_id": TRACE, "evidence": "span", "name": "grep", "tool": "grep", "lane": None, "model": None}
    return _made("of_steps", **{**plain, "failed": False, "message": None, "message_length": 0, "size": None, **values})


def log(**values: Any) -> dict[str, Any]:
    """A log record."""
    names = dict.fromkeys(("severity_text", "service", "event_name", "body", "trace_id", "span_id"))
    return _made("of_logs", **{**names, "time": TIME, "attributes": {}, **values})


def call(**values: Any) -> dict[str, Any]:
    """A model call."""
    return _made("of_calls", **{"trace_id": TRACE, "total_tokens": 1, "total_cost": None, **values})


def trace(**values: Any) -> dict[str, Any]:
    """A turn."""
    lists = dict.fromkeys(("operations", "environments", "services", "user_ids", "tags", "models"), ())
    plain: dict[str, Any] = {"trace_id": TRACE, "metadata": {}, "name": None, "cost_sources": [], **lists}
    return _made("of_traces", **{**plain, **values})


def session(**values: Any) -> dict[str, Any]:
    """A session."""
    names = dict.fromkeys(("title", "name", "first_input", "last_output", "previous_id"))
    lists = dict.fromkeys(("operations", "environments", "services", "user_ids", "tags", "models", "lanes"), ())
    return _made("session", **{"id": "s", "scores": {}, "metadata": {}, "cost_sources": [], **names, **lists, **values})
