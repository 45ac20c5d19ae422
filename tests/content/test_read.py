"""Which source wins, what is put together, and that nothing raises."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_sessions.content.content import Content
from otel_sessions.content.message import Media, Message, Other, Text, ToolCall, ToolResponse
from otel_sessions.content.names import NAMES, PREFIXES, without_content
from otel_sessions.content.places import PLACES
from otel_sessions.content.read import may_hold_content, read_record, read_span
from otel_sessions.dialects import kinds
from otel_sessions.dialects.events import told_by


def said(role: str, text: str) -> Message:
    """A message of one text."""
    return Message(role, (Text(text),))


def chat(text: str, role: str = "user") -> str:
    """A list of one message."""
    return json.dumps([{"role": role, "content": text}])


RANKED = [
    ("gen_ai.input.messages", chat("1")),
    ("llm.input_messages.0.message.content", "2"),
    ("gen_ai.prompt.0.content", "3"),
    ("ai.prompt.messages", chat("4")),
    ("langfuse.observation.input", chat("5")),
    ("pydantic_ai.all_messages", chat("6")),
    ("gcp.vertex.agent.llm_request", json.dumps({"contents": [{"role": "user", "parts": [{"text": "7"}]}]})),
    ("mlflow.spanInputs", chat("8")),
    ("gen_ai.prompt", chat("9")),
    ("input.value", "11"),
    ("traceloop.entity.input", '{"args": ["12"], "kwargs": {}}'),
]
EVENTS = [("gen_ai.user.message", {"content": "10"}), ("exception", {"exception.message": "x"})]


@pytest.mark.parametrize("place", range(len(RANKED)))
def test_the_first_source_wins(place: int) -> None:
    """Of several dialects on one span, one is read: the order is that of `SOURCES`."""
    told = dict(RANKED[place:])
    expected = RANKED[place][1] if place in (1, 2) else str(place + 1 + (place > 8))
    events = EVENTS if place < 9 else []
    assert read_span(told, events=events) == Content((said("user", expected),))


def test_events_come_before_general_attributes() -> None:
    """The values of a whole function are read only where no message was told."""
    assert read_span(dict(RANKED[9:]), events=EVENTS) == Content((said("user", "10"),))


def test_a_source_that_holds_nothing_is_passed_over() -> None:
    """An empty or withheld attribute does not hide the next dialect; each side has the first source that holds it."""
    told = {
        "gen_ai.input.messages": "[]",
        "gen_ai.output.messages": '[{"role": "assistant", "parts": []}]',
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "__REDACTED__",
        "gen_ai.prompt.0.content": "a",
        "output.value": "b",
    }
    assert read_span(told) == Content((said("user", "a"),), (said("assistant", "b"),))


def test_instructions_lead_whatever_holds_the_rest() -> None:
    """System instructions are kept where the messages are told in another dialect, or nowhere."""
    told = {"gen_ai.system_instructions": "Be brief."}
    assert read_span(told) == Content((said("system", "Be brief."),))
    assert read_span({**told, "input.value": "Hi"}) == Content((said("system", "Be brief."), said("user", "Hi")))
    assert read_span(told, events=EVENTS) == Content((said("system", "Be brief."), said("user", "10")))
    assert read_span({"gen_ai.system_instructions": "[REDACTED]"}) is None
    parts = {"gen_ai.system_instructions": '{"parts": [{"text": "Be brief."}]}'}
    assert read_span(parts) == Content((said("system", "Be brief."),))


def test_references_are_shown_and_not_fetched() -> None:
    """Content that was uploaded is a file with its address."""
    told = {
        "gen_ai.input.messages_ref": "gs://b/in.json",
        "gen_ai.output.messages_ref": "gs://b/out.json",
        "gen_ai.system_instructions_ref": "gs://b/system.json",
    }
    assert read_span(told) == Content(
        (
            Message("system", (Media("file", uri="gs://b/system.json"),)),
            Message("user", (Media("file", uri="gs://b/in.json"),)),
        ),
        (Message("assistant", (Media("file", uri="gs://b/out.json"),)),),
    )
    assert read_span({"gen_ai.input.messages_ref": 3}) is None


def test_cut_json_is_kept_as_text() -> None:
    """A value that was cut is what a user or a model said, as far as it goes."""
    assert read_span({"gen_ai.input.messages": '[{"role": "us...[truncated]'}) == Content(
        (said("user", '[{"role": "us...[truncated]'),)
    )


def test_the_span_wins_over_its_event() -> None:
    """An attribute of the span is read before the same of the event of the whole call."""
    event = (
        "gen_ai.client.inference.operation.details",
        {"gen_ai.input.messages": chat("b"), "gen_ai.output.messages": chat("c", "ai")},
    )
    assert read_span({"gen_ai.input.messages": chat("a")}, events=[event]) == Content(
        (said("user", "a"),), (said("assistant", "c"),)
    )


def test_vercel_answers_in_parts() -> None:
    """Thoughts, text and calls of one answer are one message."""
    calls = '[{"toolCallId": "c", "toolName": "f", "input": "{\\"a\\": 1}"}]'
    told = {"ai.response.reasoning": "hm", "ai.response.text": "Hi", "ai.response.toolCalls": calls}
    found = read_span(told)
    assert found is not None
    assert [len(one.parts) for one in found.output] == [3]
    older = read_span({"ai.result.text": "", "ai.result.toolCalls": calls, "ai.result.object": 3})
    assert older == Content((), (Message("assistant", (ToolCall("c", "f", {"a": 1}),)),))
    assert read_span({"ai.response.toolCalls": "x"}) is None


def test_a_run_of_pydantic_ai_without_an_answer() -> None:
    """A whole conversation that ends with a question has no output but the result."""
    told = {"pydantic_ai.all_messages": chat("Hi"), "final_result": "Done"}
    assert read_span(told) == Content((said("user", "Hi"),), (said("assistant", "Done"),))
    assert read_span({"all_messages_events": json.dumps([{"event.name": "gen_ai.user.message", "content": "Hi"}])}) == (
        Content((said("user", "Hi"),))
    )


@pytest.mark.parametrize("value", ["x", "[]", '[{"a": 1}]', [{"event.name": 3}], 7])
def test_names_that_others_use_are_read_only_if_they_hold_messages(value: Any) -> None:
    """`events` and `request_data` are not Logfire's alone."""
    assert read_span({"events": value, "request_data": value, "response_data": value}) is None


def test_a_tool_on_the_span_of_a_call() -> None:
    """On a span that is a model call, messages come before what only tools have."""
    told = {"gen_ai.tool.call.result": "ok", "gen_ai.input.messages": chat("Hi")}
    assert read_span(told, kind=kinds.LLM) == Content((said("user", "Hi"),))
    found = read_span(told)
    assert found is not None
    assert found.output == (Message("tool", (ToolResponse(None, "ok"),)),)


def test_a_prompt_of_claude_code_is_new() -> None:
    """The span of a turn holds the prompt and repeats nothing."""
    assert read_span({"user_prompt": "Hi", "span.type": "interaction"}) == Content((said("user", "Hi"),), is_new=True)
    assert read_span({"user_prompt": "<REDACTED>"}) is None
    assert read_span({"user_prompt": 3}) is None


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        ({"gen_ai.conversation.compacted": True}, []),
        ({}, [("github.copilot.session.compaction_complete", {})]),
        (
            {
                "gen_ai.input.messages": json.dumps(
                    [{"role": "user", "parts": [{"type": "compaction", "content": "s"}]}]
                )
            },
            [],
        ),
        ({"gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "compaction"}]}])}, []),
    ],
)
def test_compactions(attributes: dict[str, Any], events: list[Any]) -> None:
    """The attribute, an event, or a part of a message tells that what was said before was summed up."""
    found = read_span(attributes, events=events)
    assert found is not None
    assert found.compacted


def test_other_spans_hold_nothing() -> None:
    """An attribute that says that nothing was summed up is no content."""
    assert read_span({"gen_ai.conversation.compacted": False}) is None
    assert read_span({"http.url": "x"}, events=[("exception", {})]) is None


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("gen_ai.user.message", "Hi", Content((said("user", "Hi"),))),
        ("gen_ai.user.message", {"content": "<elided>"}, None),
        ("gen_ai.choice", {"message": {"content": "<elided>"}}, None),
        ("gen_ai.choice", {"message": "Hi"}, Content((), (said("assistant", "Hi"),))),
        (
            "gen_ai.choice",
            '{"message": {"role": "assistant", "content": "Hi"}}',
            Content((), (said("assistant", "Hi"),)),
        ),
        ("gen_ai.prompt", '[{"role": "user", "content": "Hi"}]', Content((said("user", "Hi"),))),
        ("gen_ai.tool.message", {"content": "ok", "id": "c"}, Content((Message("tool", (ToolResponse("c", "ok"),)),))),
        ("gen_ai.user.message", {"gen_ai.event.content": '{"content": "Hi"}'}, Content((said("user", "Hi"),))),
        ("gen_ai.user.message", {"gen_ai.event.content": "Hi"}, Content((said("user", "Hi"),))),
    ],
)
def test_records_of_one_message(name: str, body: Any, expected: Content | None) -> None:
    """The body of an older event is one message; the name is the event's or an attribute."""
    told = told_by("", None, name, {}, body)
    assert read_record({}, event_name=name, body=body, told=told) == expected
    named = {"event.name": name}
    assert read_record(named, event_name="", body=body, told=None) == expected


def test_a_record_without_a_body_has_it_in_its_attributes() -> None:
    """Where the body is missing, the attributes stand for it."""
    told = {"event.name": "gen_ai.user.message", "content": "Hi"}
    assert read_record(told, event_name="", body=None, told=None) == Content((said("user", "Hi"),))


def test_indexed_messages_in_the_order_of_their_numbers() -> None:
    """Numbers are compared as numbers, gaps do not matter, and what does not fit is left out."""
    told = {f"gen_ai.prompt.{number}.content": str(number) for number in (10, 2, 30)}
    odd = {
        "gen_ai.prompt.name": "greeting",
        "gen_ai.prompt.4": "x",
        "gen_ai.prompt.2.content.0": "y",
        "gen_ai.prompt.x.content": "z",
    }
    found = read_span({**told, **odd})
    assert found == Content(tuple(said("user", text) for text in ("2", "10", "30")))
    assert read_span(odd | {"gen_ai.prompt.2.content.0": ""}) is None
    assert read_span({"gen_ai.prompt.0.0": "Hi"}) == Content((said("user", "Hi"),))
    assert read_span({"llm.prompts.0.prompt.text": "Hi"}) == Content((said("user", "Hi"),))
    assert read_span({"gen_ai.prompt.name": "greeting", "gen_ai.prompt.version": "3"}) is None


def test_values_of_other_types() -> None:
    """Tuples and read-only mappings are lists and objects; bytes are only counted."""
    message = MappingProxyType({"role": "user", "content": ({"type": "text", "text": "Hi"}, b"12")})
    found = read_span(MappingProxyType({"gen_ai.input.messages": (message,)}))
    assert found == Content((Message("user", (Text("Hi"), Other("(2 bytes)"))),))


def test_the_same_instructions_are_told_once() -> None:
    """Instructions that are an attribute and a message are one text; thousands of messages take no longer than they are."""
    many = [{"role": "system", "content": str(number % 5_000)} for number in range(20_000)]
    found = read_span({"gen_ai.system_instructions": "0", "gen_ai.input.messages": many})
    assert found is not None
    assert [len(message.parts) for message in found.input] == [5_000]


def test_a_message_of_5_mb() -> None:
    """A huge text is one part, whole."""
    text = "ä" * 2_500_000
    found = read_span({"gen_ai.input.messages": json.dumps([{"role": "user", "content": text}])})
    assert found == Content((said("user", text),))


@pytest.mark.parametrize(
    "deep", ["[" * 100_000, '{"messages":' * 50_000, "[" * 500 + "]" * 500, '{"a":' * 400 + "1" + "}" * 400]
)
def test_deep_json_does_not_raise(deep: str) -> None:
    """A value that is nested without end is kept as far as it goes."""
    found = read_span({"gen_ai.input.messages": deep, "gen_ai.tool.call.arguments": deep})
    assert found is not None
    assert isinstance(found.input[0].digest, int)


def test_strict_json_comes_out() -> None:
    """Numbers that are not finite, halves of characters and names that are no texts are replaced."""
    told = {
        "type": "new",
        "n": float("nan"),
        "t": "\ud83d\ude00 \ud800",
        3: b"12",
        "big": 10**5_000,
        "o": object(),
        "s": {1},
    }
    found = read_span({"gen_ai.input.messages": [{"role": "user", "parts": [told]}]})
    assert found is not None
    written = json.dumps([message.to_dict() for message in found.input], allow_nan=False, ensure_ascii=False).encode()
    assert b'"3": "(2 bytes)"' in written
    assert '"😀 \ufffd"'.encode() in written
    assert read_span({"input.value": "\ud800"}) == Content((said("user", "\ufffd"),))


values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=4)
    | st.sampled_from(
        [
            "user",
            "assistant",
            "tool",
            "text",
            "tool_call",
            "image",
            "<REDACTED>",
            "\ud800",
            "data:a/b;base64,AA",
            "{}",
            "[1]",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "role",
                        "type",
                        "content",
                        "parts",
                        "text",
                        "tool_calls",
                        "function",
                        "arguments",
                        "id",
                        "name",
                        "lc",
                        "kwargs",
                    ),
                    *(
                        "messages",
                        "choices",
                        "output",
                        "input",
                        "message",
                        "image_url",
                        "data",
                        "source",
                        "toolUse",
                        "toolResult",
                    ),
                    *(
                        "function_response",
                        "args",
                        "system",
                        "config",
                        "tool_call",
                        "message_content",
                        "additional_kwargs",
                        "audio",
                    ),
                ]
            )
            | st.text(max_size=3)
            | st.integers(0, 3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
told_values = values | values.map(lambda value: json.dumps(value, default=str, skipkeys=True))
names = st.sampled_from(
    [
        *sorted(NAMES),
        *(f"{prefix}{path}" for prefix in PREFIXES for path in ("0.role", "0.message.content", "1.message.contents.0.x", "0.tool_calls.0.name", "9")),
        *("gen_ai.tool.name", "gen_ai.operation.name", "openinference.span.kind", "event.name", "gen_ai.conversation.compacted"),
    ]
)  # fmt: skip
attributes = st.dictionaries(names, told_values, max_size=8)
events = st.lists(
    st.tuples(
        st.sampled_from([*sorted(name for name in PLACES if name.startswith("gen_ai.")), "tool.output"]), attributes
    ),
    max_size=3,
)


def is_strict(content: Content | None) -> bool:
    """True if the messages can be stored and shown as they are."""
    for message in () if content is None else (*content.input, *content.output):
        json.dumps(message.to_dict(), allow_nan=False, ensure_ascii=False).encode()
        assert message.parts
        assert Message.from_dict(message.to_dict()) == message
        assert isinstance(message.digest ^ message.likeness, int)
        assert message.role != "tool" or isinstance(message.parts[0], ToolResponse)
    return content is None or content.said is not None


@settings(max_examples=100)
@given(attributes, events, st.sampled_from(["", kinds.LLM, kinds.TOOL]))
def test_no_span_raises(told: dict[str, Any], happened: list[Any], kind: str) -> None:
    """Any value of any attribute is read into messages that JSON carries."""
    found = read_span(told, events=happened, kind=kind)
    assert is_strict(found)
    assert found is None or may_hold_content([*told, *(name for name, _ in happened)])
    left = without_content(told)
    assert left.keys() <= told.keys()


@settings(max_examples=100)
@given(attributes, told_values, st.sampled_from(["", "gen_ai.user.message", "gen_ai.choice", "user_prompt", "tool_result", "api_response"]),
       st.sampled_from([None, "claude-code", "codex_cli_rs", "gemini-cli", "qwen-code"]))  # fmt: skip
def test_no_record_raises(told: dict[str, Any], body: Any, name: str, service: str | None) -> None:
    """Any body and any attribute of a record is read into messages that JSON carries."""
    event = told_by("", service, name, told, body)
    assert is_strict(read_record(told, event_name=name, body=body, told=event))
