"""A conversation as markdown: turns, roles, branches, tools, and texts that cannot leave their place."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.conversation.talking import call
from tests.counting.building import AT

from otel_sessions.content.message import Media, Message, Other, Reasoning, Text, ToolCall, ToolResponse
from otel_sessions.conversation.lines import Line
from otel_sessions.conversation.markdown import as_markdown


def line(index: int, role: str = "user", turn: int = 0, **more: object) -> Line:
    """A line of the main agent."""
    known: dict[str, object] = {"lane": None, "branch": 0, "digest": 1}
    return Line(index, turn, None, 1, AT, role, **{**known, **more})  # type: ignore[arg-type]


def test_a_conversation_reads_from_top_to_bottom() -> None:
    """Turns and messages are headings; tools are code blocks; what is missing says how to get it."""
    answered = call(1, model="gpt", total_tokens=1234, total_cost=Decimal("0.5"), lasts=2100)
    failed = call(1, cost_exact=False, total_cost=Decimal("0.1"), failed=True)
    free = call(1)
    told = [
        (line(0), Message("user", (Text("Weather?"), Media("image", "image/png", None, 12)))),
        (
            line(1, "assistant", call=answered),
            Message("assistant", (Reasoning("Hm."), ToolCall("c", "get", {"city": "Paris"}))),
        ),
        (line(2, "tool"), Message("tool", (ToolResponse("c", "rainy"),))),
        (line(3, turn=1, branch=1, lane="a`b", fork=(1, "sub_agent")), Message("user", (Other([1]),))),
        (line(4, "assistant", digest=None, captured=False, switch="SET=1"), None),
        (line(5, "assistant", turn=1, branch=2, digest=None, call=failed, fork=(None, "fork")), None),
        (line(6, "assistant", turn=2, branch=3, call=free, fork=(3, "compaction")), None),
    ]

    assert "".join(as_markdown("A *title*\n", told)).splitlines() == [
        "# A \\*title\\*",
        "",
        "## Turn 1",
        "",
        "### 0 user",
        "",
        "*2026-11-18T11:06:40.000Z*",
        "",
        "> Weather?",
        "",
        "*image* `image/png` `12 bytes`",
        "",
        "### 1 assistant",
        "",
        "*2026-11-18T11:06:40.000Z · `gpt` · 1,234 tokens · $0.5 · 2.1 s*",
        "",
        "*Reasoning*",
        "",
        "> Hm.",
        "",
        "Tool call `get`",
        "",
        "```json",
        '{"city": "Paris"}',
        "```",
        "",
        "### 2 tool",
        "",
        "*2026-11-18T11:06:40.000Z*",
        "",
        "Tool answer",
        "",
        "```",
        "rainy",
        "```",
        "",
        "## Turn 2",
        "",
        "*Branch 1 goes on from 1 (a sub-agent)*",
        "",
        "### 3 user, ``a`b``, branch 1",
        "",
        "*2026-11-18T11:06:40.000Z*",
        "",
        "```json",
        "[1]",
        "```",
        "",
        "## Turn 1, continued",
        "",
        "### 4 assistant",
        "",
        "*2026-11-18T11:06:40.000Z*",
        "",
        "*Content was not captured.* To capture it: `SET=1`",
        "",
        "## Turn 2, continued",
        "",
        "*Branch 2 begins again*",
        "",
        "### 5 assistant, branch 2",
        "",
        "*2026-11-18T11:06:40.000Z · at least $0.1 · 0.0 s · failed*",
        "",
        "## Turn 3",
        "",
        "*Branch 3 goes on from 3 (what was said before was summed up)*",
        "",
        "### 6 assistant, branch 3",
        "",
        "*2026-11-18T11:06:40.000Z · 0.0 s*",
        "",
        "*Content was not captured.*",
    ]


@given(st.text(), st.text())
def test_no_text_leaves_its_place(said: str, answered: str) -> None:
    """Each line of a text is quoted, a code block ends at its own fence, and nothing moves a terminal's cursor."""
    told = [
        (line(0), Message("user", (Text(said),))),
        (line(1, "tool"), Message("tool", (ToolResponse(None, answered),))),
    ]

    document = "".join(as_markdown("t", told))

    assert not any(ord(one) < 0x20 or 0x7F <= ord(one) < 0xA0 for one in document if one not in "\n\t")
    head, _, rest = document.partition("\n### 1 tool\n")
    quoted = head.partition("000Z*\n\n")[2].rstrip("\n").split("\n")
    assert all(one.startswith(">") for one in quoted)
    fence, *body = rest.partition("Tool answer\n\n")[2].rstrip("\n").split("\n")
    assert set(fence) == {"`"}
    assert [one for one in body if one.strip() and not one.strip().strip("`") and len(one.strip()) >= len(fence)] == [
        fence
    ]


def test_a_name_of_backticks_is_code() -> None:
    """A code span is longer than any run of backticks in it."""
    told = [(line(0, "assistant"), Message("assistant", (ToolCall(None, "`x", ""), ToolCall(None, "", ""))))]

    document = "".join(as_markdown("t", told))

    assert "Tool call `` `x ``\n" in document
    assert "Tool call `  `\n" in document
