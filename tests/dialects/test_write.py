"""The names that other backends read, written beside our own."""

from __future__ import annotations

import json
from typing import Any
from weakref import WeakSet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions import Session
from otel_sessions.dialects import DIALECTS
from otel_sessions.dialects.write import Writer
from otel_sessions.session import plain_attributes


class Attributes(dict[str, Any]):
    """A mapping that weak references can watch."""

    __hash__ = object.__hash__  # type: ignore[assignment]


FULL = Session(
    "a",
    {"run": "1"},
    name="n",
    user_id="u",
    tags=("x", "y"),
    metadata={"tier": 3, "beta": True},
)

WRITTEN: dict[str, dict[str, Any]] = {
    "agentmark": {
        "agentmark.session_id": "a",
        "agentmark.user_id": "u",
        "agentmark.session_name": "n",
        "agentmark.tags": ("x", "y"),
        "agentmark.metadata.tier": 3,
        "agentmark.metadata.beta": True,
    },
    "gen_ai": {"gen_ai.conversation.id": "a"},
    "helicone": {
        "traceloop.association.properties.Helicone-Session-Id": "a",
        "traceloop.association.properties.Helicone-User-Id": "u",
        "traceloop.association.properties.Helicone-Session-Name": "n",
    },
    "laminar": {
        "lmnr.association.properties.session_id": "a",
        "lmnr.association.properties.user_id": "u",
        "lmnr.association.properties.tags": ("x", "y"),
        "lmnr.association.properties.metadata.tier": 3,
        "lmnr.association.properties.metadata.beta": True,
    },
    "langfuse": {
        "langfuse.session.id": "a",
        "langfuse.user.id": "u",
        "langfuse.trace.tags": ("x", "y"),
        "langfuse.trace.metadata.tier": 3,
        "langfuse.trace.metadata.beta": True,
    },
    "langsmith": {
        "langsmith.metadata.session_id": "a",
        "langsmith.metadata.user_id": "u",
        "langsmith.span.tags": "x,y",
        "langsmith.metadata.tier": 3,
        "langsmith.metadata.beta": True,
    },
    "langwatch": {"langwatch.thread.id": "a", "langwatch.customer.id": "u"},
    "mlflow": {"mlflow.trace.session": "a", "mlflow.trace.user": "u"},
    "openinference": {"tag.tags": ("x", "y"), "metadata": '{"tier": 3, "beta": true}'},
    "opik": {
        "thread_id": "a",
        "opik.tags": ("x", "y"),
        "opik.metadata.tier": 3,
        "opik.metadata.beta": True,
    },
    "traceloop": {
        "traceloop.association.properties.session_id": "a",
        "traceloop.association.properties.user_id": "u",
        "traceloop.association.properties.tier": 3,
        "traceloop.association.properties.beta": True,
    },
}


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_the_names_of_each_backend(name: str) -> None:
    """A full session is written under the backend's names, then under ours, unchanged."""
    extended = Writer([name]).extend(plain_attributes(FULL))
    assert dict(extended) == {**WRITTEN[name], **FULL.attributes}


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("session", [Session(keys={"run": "1"}), Session(cut=("*",))])
def test_what_there_is_not_is_not_written(name: str, session: Session) -> None:
    """Empty values, and fields that a backend has no name for, are not written."""
    assert dict(Writer([name]).extend(plain_attributes(session))) == dict(session.attributes)


def test_several_dialects_at_once() -> None:
    """Each dialect adds its names once, also if it is given twice, and a bare string is one dialect."""
    extended = Writer(["langfuse", "gen_ai", "langfuse"]).extend({"session.id": "a"})
    assert extended == {"session.id": "a", "langfuse.session.id": "a", "gen_ai.conversation.id": "a"}
    assert Writer(()).extend({"session.id": "a"}) == {"session.id": "a"}
    assert Writer("gen_ai").extend({"session.id": "a"}) == {"session.id": "a", "gen_ai.conversation.id": "a"}
    assert Writer(name for name in ("gen_ai",)).extend({"session.id": "a"})["gen_ai.conversation.id"] == "a"


@pytest.mark.parametrize("names", [["langfuse", "unknown"], ["Langfuse"], [""], "unknown"])
def test_an_unknown_dialect_is_an_error(names: Any) -> None:
    """An unknown dialect raises an error, also among known ones."""
    with pytest.raises(ValueError, match="choose from agentmark, gen_ai"):
        Writer(names)


@pytest.mark.parametrize("name", ["langsmith", "traceloop", "laminar"])
def test_metadata_does_not_replace_the_session_id(name: str) -> None:
    """A metadata entry named `session_id` or `user_id` does not replace the real one."""
    session = Session("a", user_id="u", metadata={"session_id": "wrong", "user_id": "wrong", "tags": "wrong"})
    extended = Writer([name]).extend(plain_attributes(session))
    dialect = DIALECTS[name]
    assert dialect.session_id
    assert dialect.user_id
    assert (extended[dialect.session_id], extended[dialect.user_id]) == ("a", "u")


def test_what_was_made_for_a_session_is_made_once() -> None:
    """The next span of a session gets the same mapping, and an equal session gets its own."""
    writer = Writer(["langfuse"])
    assert writer.extend(plain_attributes(FULL)) is writer.extend(plain_attributes(FULL))
    twin = Session("b")
    assert writer.extend(plain_attributes(twin))["langfuse.session.id"] == "b"


def test_many_sessions_give_each_its_own() -> None:
    """Each session gets its own attributes, and those of old sessions are not kept."""
    writer = Writer(["gen_ai"])
    kept = WeakSet[Attributes]()
    for number in range(2_500):
        attributes = Attributes({"session.id": str(number)})
        kept.add(attributes)
        assert writer.extend(attributes)["gen_ai.conversation.id"] == str(number)
    assert len(kept) <= 1_001


@given(st.dictionaries(st.text("abc", min_size=1), st.one_of(st.booleans(), st.integers(), st.text()), max_size=5))
def test_metadata_json_reads_back(metadata: dict[str, Any]) -> None:
    """OpenInference's JSON object holds exactly the metadata, and is left out without any."""
    extended = Writer(["openinference"]).extend(plain_attributes(Session("a", metadata=metadata)))
    assert json.loads(str(extended.get("metadata", "{}"))) == metadata
    assert ("metadata" in extended) == bool(metadata)
