"""Where messages are, as data: the attributes of every dialect, in order of priority.

Several instrumentations may tell of one call on one span. What was asked, and what came back, are each read from the first
source that holds any of it. A new dialect is an entry in `SOURCES`, and a file of samples in `tests/content/dialects`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from otel_sessions.content.blocks import parts_of, reasoning_of
from otel_sessions.content.json_values import is_list, is_object, is_withheld, parsed
from otel_sessions.content.message import ASSISTANT, SYSTEM, USER, Media, Part
from otel_sessions.content.message_events import Exchange, of_list
from otel_sessions.content.shapes import holds_messages, system_parts, told
from otel_sessions.content.spoken import Spoken
from otel_sessions.content.tool_parts import call_of
from otel_sessions.dialects.documents import of_raw_spans

Read = Callable[[Any, str], "list[Spoken]"]
"""From the value of an attribute and a role to messages."""


def _any(value: Any, role: str) -> list[Spoken]:
    return [] if is_withheld(value) else told(value, role)


def _only_messages(value: Any, role: str) -> list[Spoken]:
    """For names that others use too, and for values that are no JSON: nothing but messages."""
    value = parsed(value)
    return told(value, role, depth=1) if holds_messages(value) else []


def _system(value: Any, role: str) -> list[Spoken]:
    return [] if is_withheld(value) else [Spoken(role, system_parts(parsed(value)))]


def _reference(value: Any, role: str) -> list[Spoken]:
    return [Spoken(role, [Media("file", uri=value)])] if isinstance(value, str) and value else []


def _text(value: Any, role: str) -> list[Spoken]:
    return [Spoken(role, parts_of(value))] if isinstance(value, str) else []


def _reasoning(value: Any, role: str) -> list[Spoken]:
    return [Spoken(role, reasoning_of(parsed(value)))]


def _calls(value: Any, role: str) -> list[Spoken]:
    listed = parsed(value)
    found: list[Part] = [call_of(one) for one in listed if is_object(one)] if is_list(listed) else []
    return [Spoken(role, found)]


def _split(messages: list[Spoken]) -> Exchange:
    """A whole conversation as what came before its last answer, and that answer."""
    answers = 0
    while answers < len(messages) and messages[-1 - answers].role == ASSISTANT:
        answers += 1
    place = len(messages) - answers
    return Exchange(messages[:place], messages[place:])


def _conversation(value: Any) -> Exchange:
    return _split(_any(value, USER))


def _events(value: Any) -> Exchange:
    found = of_list(value)
    return found if found.output else _split(found.input)


class Place(NamedTuple):
    """An attribute that holds messages.

    Attributes:
        name: of the attribute; one that ends in `.` is what the names of a numbered message start with.
        read: how.
        role: of what names none.
    """

    name: str
    read: Read = _any
    role: str = USER


class Source(NamedTuple):
    """The attributes of one dialect.

    Attributes:
        title: its name, for people.
        input: where what was asked is: the first of these that holds any of it.
        output: where what came back is: all of these together if `is_in_parts`, else the first that holds any of it.
        instructions: where what the system says is, if apart.
        whole: attributes that hold a whole conversation with its last answer, and how each is read; they come first.
        is_in_parts: each place of the output holds a part of it.
        is_new: what was asked is all new: it never repeats what was said before.
    """

    title: str
    input: tuple[Place, ...] = ()
    output: tuple[Place, ...] = ()
    instructions: tuple[Place, ...] = ()
    whole: tuple[tuple[str, Callable[[Any], Exchange]], ...] = ()
    is_in_parts: bool = False
    is_new: bool = False


def _asked(*names: str, read: Read = _any) -> tuple[Place, ...]:
    return tuple(Place(name, read) for name in names)


def _answered(*names: str, read: Read = _any) -> tuple[Place, ...]:
    return tuple(Place(name, read, ASSISTANT) for name in names)


EVENTS: Final = Source("Message events")
"""Events that hold one message each; `message_events` reads them."""

SOURCES: Final[tuple[Source, ...]] = (
    Source(
        "OpenTelemetry",
        _asked("gen_ai.input.messages"),
        _answered("gen_ai.output.messages"),
        (Place("gen_ai.system_instructions", _system, SYSTEM),),
    ),
    Source(
        "OpenTelemetry, uploaded",
        _asked("gen_ai.input.messages_ref", read=_reference),
        _answered("gen_ai.output.messages_ref", read=_reference),
        (Place("gen_ai.system_instructions_ref", _reference, SYSTEM),),
    ),
    Source("OpenInference", _asked("llm.input_messages."), _answered("llm.output_messages.")),
    Source("OpenInference, completions", _asked("llm.prompts."), _answered("llm.choices.")),
    Source("Traceloop", _asked("gen_ai.prompt."), _answered("gen_ai.completion.")),
    Source("Traceloop, older", (), _answered("llm.completions.")),
    Source(
        "Vercel AI SDK",
        _asked("ai.prompt.messages", "ai.prompt"),
        (
            *_answered("ai.response.reasoning", read=_reasoning),
            *_answered("ai.response.text", "ai.response.object", read=_text),
            *_answered("ai.response.toolCalls", read=_calls),
        ),
        is_in_parts=True,
    ),
    Source(
        "Vercel AI SDK, older",
        (),
        (
            *_answered("ai.result.text", "ai.result.object", read=_text),
            *_answered("ai.result.toolCalls", read=_calls),
        ),
        is_in_parts=True,
    ),
    Source("Langfuse", _asked("langfuse.observation.input"), _answered("langfuse.observation.output")),
    Source(
        "Pydantic AI",
        output=_answered("final_result"),
        whole=(("pydantic_ai.all_messages", _conversation),),
    ),
    Source(
        "Logfire",
        _asked("request_data", read=_only_messages),
        _answered("response_data", read=_only_messages),
        whole=(("events", _events), ("all_messages_events", _events)),
    ),
    Source("Google ADK", _asked("gcp.vertex.agent.llm_request"), _answered("gcp.vertex.agent.llm_response")),
    Source("MLflow", _asked("mlflow.spanInputs"), _answered("mlflow.spanOutputs")),
    Source("LangSmith", _asked("gen_ai.prompt"), _answered("gen_ai.completion")),
    Source(
        "LiteLLM",
        _asked(*of_raw_spans("messages", "contents"), read=_only_messages),
        _answered(*of_raw_spans("choices", "candidates", "content"), read=_only_messages),
    ),
    Source("Claude Code", _asked("user_prompt", read=_text), is_new=True),
    EVENTS,
    Source("Langfuse, of a trace", _asked("langfuse.trace.input"), _answered("langfuse.trace.output")),
    Source("OpenInference, any span", _asked("input.value"), _answered("output.value")),
    Source(
        "Traceloop, any span",
        _asked("traceloop.entity.input", "gen_ai.task.input"),
        _answered("traceloop.entity.output", "gen_ai.task.output"),
    ),
    Source(
        "Haystack",
        _asked("haystack.component.input", "haystack.pipeline.input_data"),
        _answered("haystack.component.output", "haystack.pipeline.output_data"),
    ),
    Source("LangWatch", _asked("langwatch.input"), _answered("langwatch.output")),
    Source("Laminar", _asked("lmnr.span.input"), _answered("lmnr.span.output")),
    Source("Genkit", _asked("genkit:input"), _answered("genkit:output")),
    Source(
        "Braintrust",
        _asked("braintrust.input_json", "braintrust.input"),
        _answered("braintrust.output_json", "braintrust.output"),
    ),
)
"""In order of priority. `EVENTS` stands for the events of a span that hold one message each."""


def names_of(source: Source) -> tuple[str, ...]:
    """The names of all attributes of a source; one that ends in `.` is what numbered names start with."""
    places = (*source.instructions, *source.input, *source.output)
    return (*(name for name, _ in source.whole), *(place.name for place in places))
