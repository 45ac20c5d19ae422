"""What other backends read, written beside our own names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions import Session
from otel_sessions.dialects import DIALECTS
from otel_sessions.dialects.write import Writer
from otel_sessions.session import plain_attributes

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
    """A full session under its names, after which ours come, unchanged."""
    extended = Writer([name]).extend(plain_attributes(FULL))
    assert dict(extended) == {**WRITTEN[name], **FULL.attributes}


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("session", [Session(keys={"run": "1"}), Session(cut=("*",))])
def test_what_there_is_not_is_not_written(name: str, session: Session) -> None:
    """No empty values, and no name for what a backend does not know."""
    assert dict(Writer([name]).extend(plain_attributes(session))) == dict(session.attributes)


def test_several_dialects_at_once() -> None:
    """Each adds its names; one that is given twice adds them once; a bare string is one."""
    extended = Writer(["langfuse", "gen_ai", "langfuse"]).extend({"session.id": "a"})
    assert extended == {"session.id": "a", "langfuse.session.id": "a", "gen_ai.conversation.id": "a"}
    assert Writer(()).extend({"session.id": "a"}) == {"session.id": "a"}
    assert Writer("gen_ai").extend({"session.id": "a"}) == {"session.id": "a", "gen_ai.conversation.id": "a"}
    assert Writer(name for name in ("gen_ai",)).extend({"session.id": "a"})["gen_ai.conversation.id"] == "a"


@pytest.mark.parametrize("names", [["langfuse", "unknown"], ["Langfuse"], [""], "unknown"])
def test_an_unknown_dialect_is_an_error(names: Any) -> None:
    """Also where only one of several is."""
    with pytest.raises(ValueError, match="choose from agentmark, gen_ai"):
        Writer(names)


@pytest.mark.parametrize("name", ["langsmith", "traceloop", "laminar"])
def test_metadata_does_not_replace_the_session_id(name: str) -> None:
    """An entry that happens to be named `session_id` or `user_id` loses against the real one."""
    session = Session("a", user_id="u", metadata={"session_id": "wrong", "user_id": "wrong", "tags": "wrong"})
    extended = Writer([name]).extend(plain_attributes(session))
    dialect = DIALECTS[name]
    assert dialect.session_id
    assert dialect.user_id
    assert (extended[dialect.session_id], extended[dialect.user_id]) == ("a", "u")


def test_what_was_made_for_a_session_is_made_once() -> None:
    """The next span of the session gets the same mapping; an equal session is not mistaken for it."""
    writer = Writer(["langfuse"])
    assert writer.extend(plain_attributes(FULL)) is writer.extend(plain_attributes(FULL))
    twin = Session("b")
    assert writer.extend(plain_attributes(twin))["langfuse.session.id"] == "b"


def test_many_sessions_give_each_its_own() -> None:
    """What is kept is bounded, and never handed to another session."""
    writer = Writer(["gen_ai"])
    for number in range(2_500):
        assert writer.extend(plain_attributes(Session(str(number))))["gen_ai.conversation.id"] == str(number)
    assert len(writer._made) <= 1_000


@given(st.dictionaries(st.text("abc", min_size=1), st.one_of(st.booleans(), st.integers(), st.text()), max_size=5))
def test_metadata_json_reads_back(metadata: dict[str, Any]) -> None:
    """OpenInference's one JSON object holds exactly the metadata; without any there is none."""
    extended = Writer(["openinference"]).extend(plain_attributes(Session("a", metadata=metadata)))
    assert json.loads(str(extended.get("metadata", "{}"))) == metadata
    assert ("metadata" in extended) == bool(metadata)
