"""A conversation with a coding agent as log records tell of it, and its bill: the records of Claude Code, without any span.

The agent sends one record for each request to the model, and others around them. A sub-agent reads the code, one request
fails and is made again, and the conversation is compacted, after which the shorter prompt is written to the cache again.
"""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from genai_prices import Usage, calc_price

SESSION: Final = "claude-code-2614"
USER: Final = "user-c"
MAIN: Final = "repl_main_thread"
SUB_AGENT: Final = "agent:builtin:Explore"
OPUS: Final = "claude-opus-4-5"
HAIKU: Final = "claude-haiku-4-5"
SCOPE: Final = "com.anthropic.claude_code.events"
_SECONDS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the model, in the provider's own counting: `uncached`, `read` and `written` together are the input."""

    prompt: str
    source: str
    model: str
    uncached: int
    read: int
    written: int
    output: int
    failed: bool = False

    @property
    def input(self) -> int:
        """All input tokens."""
        return self.uncached + self.read + self.written

    @property
    def price(self) -> Decimal:
        """USD at public prices, by `genai-prices` without our code."""
        usage = Usage(
            input_tokens=self.input,
            cache_read_tokens=self.read,
            cache_write_tokens=self.written,
            output_tokens=self.output,
        )
        return (
            Decimal(0) if self.failed else calc_price(usage, model_ref=self.model, provider_id="anthropic").total_price
        )


REQUESTS: Final = (
    Request("prompt-1", MAIN, OPUS, 12, 0, 18_400, 210),
    Request("prompt-1", SUB_AGENT, HAIKU, 640, 0, 9_100, 380),
    Request("prompt-1", SUB_AGENT, HAIKU, 55, 9_100, 2_300, 415),
    Request("prompt-1", MAIN, OPUS, 8, 18_400, 1_250, 930),
    Request("prompt-2", MAIN, OPUS, 0, 0, 0, 0, failed=True),
    Request("prompt-2", MAIN, OPUS, 14, 19_650, 2_600, 1_120),
    Request("prompt-2", MAIN, OPUS, 9, 0, 7_300, 275),
)
COMPACTED: Final = len(REQUESTS) - 1
"""The request that is the first one after the compaction."""


@dataclass(frozen=True, slots=True)
class CodingBill:
    """What the conversation costs: the sums over its requests that were answered."""

    calls: int
    input: int
    read: int
    written: int
    output: int
    cost: Decimal


def bill() -> CodingBill:
    """The bill of the conversation; a request that failed is on it without tokens."""
    return CodingBill(
        calls=len(REQUESTS),
        input=sum(one.input for one in REQUESTS),
        read=sum(one.read for one in REQUESTS),
        written=sum(one.written for one in REQUESTS),
        output=sum(one.output for one in REQUESTS),
        cost=sum((one.price for one in REQUESTS), Decimal(0)),
    )


def differences(session: Any) -> list[str]:
    """A sentence for each total of the session, as the API shows it, that differs from the bill."""
    due = bill()
    cost = session["total_cost"]
    pairs = (
        ("call_count", session["call_count"], due.calls),
        ("input_tokens", session["input_tokens"], due.input),
        ("cache_read_tokens", session["cache_read_tokens"], due.read),
        ("cache_write_tokens", session["cache_write_tokens"], due.written),
        ("output_tokens", session["output_tokens"], due.output),
        ("total_cost", None if cost is None else Decimal(cost), due.cost),
    )
    return [
        f"{SESSION}: {what} is {ours}, in the bill it is {theirs}" for what, ours, theirs in pairs if ours != theirs
    ]


def converse(url: str) -> int:
    """Send the conversation to an OTLP/HTTP endpoint, as it was in the last minutes; return the number of log records."""
    records = _records(time.time_ns() - 300 * _SECONDS)
    scope_logs = [{"scope": {"name": SCOPE}, "logRecords": records}]
    resource = {"attributes": _attributes({"service.name": "claude-code"})}
    body = json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": scope_logs}]}).encode()
    request = urllib.request.Request(f"{url}/v1/logs", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        response.read()
    return len(records)


def _records(start: int) -> list[dict[str, Any]]:
    """The log records, 20 seconds from one request to the next."""
    records: list[dict[str, Any]] = []

    def say(event: str, prompt: str, **more: Any) -> None:
        said = {"session.id": SESSION, "user.id": USER, "event.name": event, "prompt.id": prompt, **more}
        at = start + len(records) * 10 * _SECONDS
        records.append({"timeUnixNano": str(at), "attributes": _attributes(said)})

    for number, one in enumerate(REQUESTS):
        if number == 0 or REQUESTS[number - 1].prompt != one.prompt:
            say("user_prompt", one.prompt, prompt_length="62")
        if number == COMPACTED:
            say("compaction", one.prompt, trigger="auto", success="true", pre_tokens="22264", post_tokens="7300")
        told: dict[str, Any] = {
            "model": one.model,
            "query_source": one.source,
            "request_id": f"req_{number}",
            "duration_ms": 4_000,
        }
        if one.failed:
            say("api_error", one.prompt, error="Overloaded", status_code=529, attempt=1, **told)
            continue
        say(
            "api_request",
            one.prompt,
            input_tokens=one.uncached,
            cache_read_tokens=one.read,
            cache_creation_tokens=one.written,
            output_tokens=one.output,
            cost_usd=float(one.price),
            **told,
        )
        if one.source == MAIN:
            say("tool_result", one.prompt, tool_name="Bash", success="true", duration_ms="900")
    # Sums that the agent repeats at the end of a sub-agent.
    used = sum(one.input + one.output for one in REQUESTS if one.source == SUB_AGENT)
    say("subagent_completed", "prompt-1", agent_type="Explore", total_tokens=str(used), total_tool_uses="2")
    return records


def _attributes(values: dict[str, Any]) -> list[Any]:
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return [{"key": name, "value": {kinds[type(value)]: value}} for name, value in values.items()]
