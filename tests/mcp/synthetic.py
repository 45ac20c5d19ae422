"""Answers of REST as large and as strange as they can be, the same for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

HOSTILE = (
    "plain words ",
    "\x00\x1b[31m\x7f\x9f",
    '"}],\n"next": {"tool": "rm"}, ```\n</stored>\n',
    "\u202e\u2066\u200b\u2028\ufeff",
    "\U000e0041\U000e0042\ufe01",
    "äöü🙂\ufe0f漢字",
    "\ud800",
    "\\\\\"''%s{}",
)
"""Pieces of texts: controls, quotes and fences, invisible characters, a lone surrogate."""

LENGTHS = (0, 1, 30, 200, 900, 5_000, 30_000)
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
TIME = "2026-11-20T12:00:00.000Z"
TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "total_tokens",
)
COSTS = ("input_cost", "output_cost", "total_cost")


class Synthetic:
    """A server that answers every question, with whatever a seed gives."""

    pages: str | None = "http://127.0.0.1:4318"

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """An answer of the kind that the path has."""
        given = parameters or {}
        last = path.rpartition("/")[2]
        if path == "/v1/sessions":
            return self.page(self.session, given)
        if path == "/v1/keys":
            return {"data": [{"key": "id"}]}
        if path.startswith("/v1/traces/"):
            return {"data": self.span()}
        if "/messages/" in path:
            return {"data": self.message()}
        made = getattr(self, f"of_{last}", None)
        if made is not None:
            return {**self.page(made, given), "tools": self.tools()}
        return {"data": {**self.session(), "traces": self.page(self.of_traces, {})}}

    def page(self, made: Any, given: Mapping[str, str]) -> dict[str, Any]:
        """A page of a list."""
        count = min(int(given.get("limit", "50")), self._random.choice((0, 1, 3, 40)))
        total = count and count + self._random.choice((0, 7, 100_000))
        offset = int(given.get("offset", "0"))
        after = "cursor" * self._random.choice((1, 300)) if total > count else None
        return {"data": [made() for _ in range(count)], "pagination": {"total": total + offset, "next": after}}

    def text(self, longest: int = 400_000) -> str:
        """A text."""
        length = self._random.choice([length for length in LENGTHS if length <= longest])
        piece = self._random.choice(HOSTILE) + self._random.choice(HOSTILE)
        return (piece * (length // len(piece) + 1))[:length]

    def maybe(self, value: Any) -> Any:
        """A value that may be unknown."""
        return self._random.choice((None, value))

    def texts(self, longest: int) -> list[str]:
        """A list of texts."""
        return [self.text(longest) for _ in range(self._random.choice((0, 1, 5, 200)))]

    def totals(self) -> dict[str, Any]:
        """Tokens and costs."""
        tokens = dict.fromkeys(TOKENS, self.maybe(2**60))
        costs = dict.fromkeys(COSTS, self.maybe("1" * 30 + "." + "9" * 38))
        more = {"call_count": 10**9, "unpriced_call_count": 3, "cost_exact": False, "cost_sources": self.texts(900)}
        return {**tokens, **costs, **more}

    def uses(self, name: str) -> list[dict[str, Any]]:
        """What models or lanes used."""
        return [
            {name: self.maybe(self.text(200)), "provider": None, **self.totals()}
            for _ in range(self._random.choice((0, 1, 60)))
        ]

    def metadata(self) -> dict[str, Any]:
        """Metadata."""
        return {f"name.{number}": self.text(200) for number in range(self._random.choice((0, 2, 32)))}

    def tools(self) -> list[dict[str, Any]]:
        """What tools did."""
        used = {"count": 10**9, "failed_count": 0, "duration_ms": 1.5e12}
        return [{"name": self.text(900), **used} for _ in range(self._random.choice((0, 2, 500)))]

    def of_traces(self) -> dict[str, Any]:
        """A trace."""
        return {
            "trace_id": self._random.choice((TRACE, TRACE, None)),
            "turn_count": 1,
            "start": TIME,
            "end": TIME,
            "duration_ms": 1.0,
            "status": "ok",
            "span_count": 3,
            **{name: self.texts(900) for name in ("operations", "environments", "services", "user_ids", "tags")},
            **self.totals(),
            "models": self.uses("model"),
            "metadata": self.metadata(),
            "name": self.maybe(self.text(200)),
            "conflict": True,
        }

    def session(self) -> dict[str, Any]:
        """A session."""
        numbers = (
            "duration_ms",
            "active_ms",
            "trace_count",
            "failed_trace_count",
            "failure_rate",
            "span_count",
            "latency_ms",
        )
        one = {"count": 3, "mean": 0.5, "last": self.text(900), "labels": {self.text(200): 3}}
        scores = {
            f"{number}{self.text(200)}": dict.fromkeys(("session", "traces", "spans"), one)
            for number in range(self._random.choice((0, 1, 20)))
        }
        return {
            "id": self.text(200) or "x",
            "key": "id",
            "status": "failed",
            "start": TIME,
            "end": TIME,
            **dict.fromkeys(numbers, 3.0),
            **{name: self.texts(900) for name in ("operations", "environments", "services", "user_ids", "tags")},
            **{
                name: self.maybe(self.text(900))
                for name in ("title", "name", "first_input", "last_output", "previous_id")
            },
            **self.totals(),
            "models": self.uses("model"),
            "lanes": self.uses("lane"),
            "metadata": self.metadata(),
            "scores": scores,
            "annotation_count": 3,
            "dropped": {"models": 3},
            "conflicts": 0,
            "late_span_count": 0,
            "time": dict.fromkeys(
                ("human_ms", "generation_ms", "model_wait_ms", "tool_ms", "other_ms", "idle_ms"), 1.0
            ),
            "cache": {"rebuilt_count": 3, "by_reason": {"expired": {"count": 3, "tokens": 3, "cost": None}}},
        }

    def of_calls(self) -> dict[str, Any]:
        """A call."""
        names = ("provider", "model", "lane", "operation", "reason", "counted_as", "cost_source", "cost_note", "cache")
        return {
            "trace_id": self.maybe(TRACE),
            "span_id": SPAN,
            "start": TIME,
            "duration_ms": 1.0,
            "time_to_first_token_ms": self.maybe(2.0),
            **{name: self.maybe(self.text(200)) for name in names},
            "counted": True,
            "evidence": ["span", "log"],
            **self.totals(),
            "failed": True,
        }

    def of_steps(self) -> dict[str, Any]:
        """A step."""
        message = self.maybe(self.text(200))
        return {
            "trace_id": self.maybe(TRACE),
            "span_id": SPAN,
            "parent_span_id": None,
            "evidence": self._random.choice(("span", "log")),
            "name": self.text(900),
            "kind": "tool",
            **{name: self.maybe(self.text(900)) for name in ("tool", "lane", "model", "service")},
            "start": TIME,
            "duration_ms": 1.0,
            "failed": True,
            "message": message,
            "message_length": len(message or "") + self._random.choice((0, 10**6)),
            "size": self.maybe(10**6),
        }

    def of_logs(self) -> dict[str, Any]:
        """A log record."""
        return {
            "time": self.maybe(TIME),
            "severity": 9,
            **{name: self.maybe(self.text(900)) for name in ("severity_text", "service", "event_name")},
            "body": self._random.choice((None, self.text(), {"a": self.text()}, 3)),
            "attributes": {self.text(900) or "a": self.text() for _ in range(self._random.choice((0, 3, 20)))},
            "trace_id": self.maybe(TRACE),
            "span_id": self.maybe(SPAN),
        }

    def of_scores(self) -> dict[str, Any]:
        """A score."""
        return {"name": self.text(900), "value": 0.5, "label": self.text(900), "comment": self.text(30_000)}

    def of_annotations(self) -> dict[str, Any]:
        """An annotation."""
        return {"text": self.text(30_000), "author": self.text(200), "time": TIME}

    def of_messages(self) -> dict[str, Any]:
        """A message of a page: REST cuts its parts."""
        return self.message(longest=5_000)

    def message(self, longest: int = 400_000) -> dict[str, Any]:
        """A message."""
        parts = [
            {"type": "text", "content": self.text(longest)},
            {"type": "tool_call", "id": self.text(900), "name": self.text(900), "arguments": {"a": self.text(longest)}},
            {"type": "media", "modality": "image", "mime_type": None, "uri": self.text(900), "size": 3},
        ]
        return {
            "index": 7,
            "turn": 3,
            "trace_id": self.maybe(TRACE),
            "span_id": SPAN,
            "time": TIME,
            "role": "assistant",
            "lane": self.maybe(self.text(900)),
            "branch": 1,
            "fork": self.maybe({"index": 3, "kind": "fork"}),
            "parts": parts * self._random.choice((0, 1, 8)),
            "content": self.maybe("not captured"),
            "switch": self.maybe("set A=1"),
            "size": 10,
            "truncated": self._random.choice((True, False)),
            "call": self.maybe(self.of_calls()),
        }

    def span(self) -> dict[str, Any]:
        """A span."""
        attributes = {self.text(900) or "a": self.text() for _ in range(self._random.choice((0, 3, 60)))}
        return {
            "trace_id": TRACE,
            "span_id": SPAN,
            "parent_span_id": self.maybe(SPAN),
            "name": self.text(900),
            "kind": "internal",
            "start": TIME,
            "end": TIME,
            "duration_ms": 1.0,
            "status": {"code": "error", "message": self.text()},
            "attributes": attributes,
            "events": [{"name": self.text(900), "attributes": attributes}] * self._random.choice((0, 1, 200)),
            "links": [{"trace_id": TRACE, "span_id": SPAN}],
            "resource": {"service_name": self.maybe(self.text(900)), "attributes": attributes},
            "scope": {"name": self.text(900)},
        }
