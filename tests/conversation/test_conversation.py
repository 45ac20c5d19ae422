"""A conversation has each message once, when it was new, on the branch that it is of."""

from __future__ import annotations

from tests.conversation.talking import Talk, chain, message

from otel_sessions.content.content import Content
from otel_sessions.conversation.chains import Chain


def test_each_message_stands_once() -> None:
    """Calls that repeat the history add only what is new."""
    talk = Talk()
    talk.call("s1 u1", "a1")
    talk.call("s1 u1 a1 u2", "a2", unit=2)
    talk.call("s1 u1 a1 u2 a2 u3", "a3", unit=3)

    assert talk.read == ["s1", "u1", "a1", "u2", "a2", "u3", "a3"]
    assert [line.turn for line in talk.lines()] == [0, 0, 0, 1, 1, 2, 2]
    assert [line.call and line.call.span_id for line in talk.lines()] == [None, None, 101, None, 102, None, 103]


def test_tools_are_told_by_the_next_call() -> None:
    """A tool's answer stands once, where the next call was given it."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.record("tool", came="t1")
    talk.call("u1 a1 t1", "a2")

    assert talk.read == ["u1", "a1", "t1", "a2"]


def test_the_last_tool_of_a_run_is_told_by_itself() -> None:
    """A tool after which no model was asked tells what it answered, or that it ran."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.record("tool", came="t1")
    talk.record("tool")

    assert talk.read == ["u1", "a1", "t1", "t?"]


def test_dropping_the_oldest_messages_is_no_branch() -> None:
    """A window that slides over the history goes on in its line."""
    talk = Talk()
    talk.call("s1 u1", "a1")
    talk.call("s1 u1 a1 u2", "a2")
    talk.call("s1 u2 a2 u3", "a3")
    talk.call("s1 u3 a3 u4", "a4")
    talk.call("s1 a4 u5", "a5")

    assert talk.read == ["s1", "u1", "a1", "u2", "a2", "u3", "a3", "u4", "a4", "u5", "a5"]


def test_dropping_messages_in_the_middle_is_no_branch() -> None:
    """The first message may stay while those after it are dropped."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.call("u1 a1 u2", "a2")
    talk.call("u1 u2 a2 u3", "a3")

    assert talk.read == ["u1", "a1", "u2", "a2", "u3", "a3"]


def test_a_changed_system_message_is_shown_and_is_no_branch() -> None:
    """New instructions stand where they were new."""
    talk = Talk()
    talk.call("s1 u1", "a1")
    talk.call("s2 u1 a1 u2", "a2")
    talk.call("s1 u1 a1 u2 a2 u3", "a3")

    assert talk.read == ["s1", "u1", "a1", "s2", "u2", "a2", "u3", "a3"]


def test_an_edited_message_starts_a_branch() -> None:
    """The branch goes on from the last message that is the same, and later calls stay on it."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.call("u1 a1 u2", "a2")
    talk.call("u1 a1 u3", "a3")
    talk.call("u1 a1 u3 a3 u4", "a4")
    talk.call("u1 a1 u2 a2 u5", "a5")

    assert talk.read == ["u1", "a1", "u2", "a2", "1:u3", "1:a3", "1:u4", "1:a4", "u5", "a5"]
    assert talk.forks == {1: ("a1", "fork")}


def test_another_answer_to_the_same_input_starts_a_branch() -> None:
    """Of calls at one time the earliest is the main line."""
    talk = Talk()
    talk.call("s1 u1", "a2", at=1)
    talk.call("s1 u1", "a1", at=0)
    talk.call("s1 u1", "a3", at=2)

    assert talk.read == ["s1", "u1", "a1", "1:a2", "2:a3"]
    assert talk.forks == {1: ("u1", "fork"), 2: ("u1", "fork")}


def test_a_retry_tells_no_input_again() -> None:
    """A call that failed is there without an answer, and the one after it goes on in its line."""
    talk = Talk()
    talk.call("u1", failed=True)
    talk.call("u1", failed=True)
    talk.call("u1", "a1")

    assert talk.read == ["u1", "a!", "a!", "a1"]


def test_calls_that_repeat_nothing_are_one_line() -> None:
    """An emitter of what is new alone has no branches, also where a user says the same again."""
    talk = Talk()
    talk.call("s1 u1", "a1", unit=1)
    talk.call("s1 u2", "a2", unit=2)
    talk.call("s1 u1", "a1", unit=3)
    talk.call("s1 u1 a1 u4", "a4", unit=4)

    assert talk.read == ["s1", "u1", "a1", "u2", "a2", "u1", "a1", "u4", "a4"]


def test_a_summary_of_what_was_said_starts_a_branch() -> None:
    """A short input after long ones, with the same instructions, sums up."""
    talk = Talk()
    talk.call("s1 u1", "a1", unit=1)
    talk.call("s1 u1 a1 u2", "a2", unit=2)
    talk.call("s1 u1 a1 u2 a2 u3", "a3", unit=3)
    talk.call("s1 u9 u4", "a4", unit=4)
    talk.call("s1 u9 u4 a4 u5", "a5", unit=5)

    assert talk.read[6:] == ["a3", "1:u9", "1:u4", "1:a4", "1:u5", "1:a5"]
    assert talk.forks == {1: ("a3", "compaction")}


def test_what_is_kept_behind_a_summary_is_not_told_again() -> None:
    """The messages behind a summary stand where they were new."""
    talk = Talk()
    talk.call("s1 u1", "a1", unit=1)
    talk.call("s1 u1 a1 u2", "a2", unit=2)
    talk.call("s1 u9 u2 a2 u3", "a3", unit=3)
    talk.call("s1 u9 u2 a2 u3 a3 u4", "a4", unit=4)

    assert talk.read == ["s1", "u1", "a1", "u2", "a2", "1:u9", "1:u3", "1:a3", "1:u4", "1:a4"]
    assert talk.forks == {1: ("a2", "compaction")}


def test_a_call_may_say_that_it_sums_up() -> None:
    """The record's own word counts."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.call("u1 a1 u2", "a2", unit=2)
    talk.call("u9", "a3", unit=3, compacted=True)

    assert talk.forks == {1: ("a2", "compaction")}


def test_an_input_that_shares_nothing_is_a_fork_where_calls_repeat() -> None:
    """A new beginning goes on from nothing."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.call("u1 a1 u2", "a2")
    talk.call("s5 u7", "a7", unit=2)

    assert talk.read == ["u1", "a1", "u2", "a2", "1:s5", "1:u7", "1:a7"]
    assert talk.forks == {1: (None, "fork")}


def test_a_sub_agent_has_a_branch_of_its_own() -> None:
    """It begins at the last message of the main agent, which goes on in its own branch."""
    talk = Talk()
    talk.call("s1 u1", "a1")
    talk.call("s2 u5", "a5", lane="explore")
    talk.call("s2 u5 a5 t5", "a6", lane="explore")
    talk.call("s1 u1 a1 t1", "a2")

    assert talk.read == ["s1", "u1", "a1", "1:s2", "1:u5", "1:a5", "1:t5", "1:a6", "t1", "a2"]
    assert talk.forks == {1: ("a1", "sub_agent")}
    assert {line.lane for line in talk.lines() if line.branch} == {"explore"}


def test_a_sub_agent_may_take_over_what_was_said() -> None:
    """What it is given of the conversation is not told again, and the main agent goes on after it."""
    talk = Talk()
    talk.call("s1 u1", "a1")
    talk.call("s2 u1 a1 t1", "a2", lane="billing")
    talk.call("s1 u1 a1 t1 a2 u2", "a3", unit=2)

    assert talk.read == ["s1", "u1", "a1", "1:s2", "1:t1", "1:a2", "u2", "a3"]
    assert talk.forks == {1: ("a1", "sub_agent")}


def test_two_instrumentations_tell_of_one_call() -> None:
    """The counted one tells, and takes from the other what it lacks."""
    talk = Talk()
    counted = talk.call("", "a1")
    talk.call("u1", "a1", counted=False, reason="duplicate", counted_as=counted)
    talk.call("u1 a1 u2", "a2", counted=False, reason="duplicate", counted_as=104)
    talk.call(span_id=104)

    assert talk.read == ["u1", "a1", "u2", "a2"]
    assert [line.span_id for line in talk.lines()] == [101, 101, 104, 104]


def test_nothing_captured_shows_calls_and_tools() -> None:
    """The structure is there, with what turns capturing on."""
    talk = Talk()
    talk.call()
    talk.record("tool")
    talk.call(unit=2, scope="other")

    assert talk.read == ["a?", "t?", "a?"]
    lines = talk.lines(lambda scope, service: f"set {scope}")
    assert [line.switch for line in lines] == ["set app", "set app", "set other"]
    assert [line.turn for line in lines] == [0, 0, 1]


def test_only_calls_without_content_say_so() -> None:
    """A session of two programs shows what one of them captured."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.call(unit=2)

    assert talk.read == ["u1", "a1", "a?"]


def test_an_agent_tells_of_calls_without_content() -> None:
    """Its answer is that of the last call, and what it repeats of calls with content is not told."""
    talk = Talk()
    talk.record("agent", "u1", "a1", at=0, lasts=100)
    talk.call(at=10)
    talk.call(at=30)
    talk.record("agent", "u2", "a2", unit=2, at=200, lasts=100)
    talk.call("u2", "a2", unit=2, at=210)

    assert talk.read == ["u1", "a?", "a1", "u2", "a2"]
    assert [line.call and line.call.start for line in talk.lines()][2] == talk.calls[1].start


def test_the_top_of_a_trace_tells_if_nothing_else_does() -> None:
    """A trace without calls has what its top was given and gave."""
    talk = Talk()
    talk.record("other", "u1", "a1", at=0, lasts=100)
    talk.record("other", "u5", "a5", at=10)

    assert talk.read == ["u1", "a1"]


def test_a_record_may_say_that_a_history_was_summed_up() -> None:
    """What comes first after it starts a branch, unless it repeats all that was said."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.record("other", compacted=True, event="claude_code.compaction")
    talk.chains.append(chain(talk.last_id, at=talk.now, compacted=True))
    talk.call("u9", "a2", unit=2)
    talk.call("u9 a2 u3", "a3", unit=3)
    talk.chains.append(chain(9, at=talk.now, compacted=True))
    talk.call("u9 a2 u3 a3 u4", "a4", unit=4)
    talk.chains.append(chain(10, at=talk.now, compacted=True))
    talk.call()

    assert talk.read == ["u1", "a1", "1:u9", "1:a2", "1:u3", "1:a3", "1:u4", "1:a4", "2:a?"]
    assert talk.forks == {1: ("a1", "compaction"), 2: ("1:a4", "compaction")}


def test_an_agent_completes_its_last_call() -> None:
    """The answer of a call that lacks it is the agent's; what the agent was given stays untold."""
    talk = Talk()
    talk.record("agent", "u1", "a2", at=0, lasts=100)
    talk.call("u1", "a1", at=10)
    talk.call("u1 a1 t1", at=30)

    assert talk.read == ["u1", "a1", "t1", "a2"]


def test_an_agent_may_tell_the_answer_alone() -> None:
    """An answer without a question is that of the call."""
    talk = Talk()
    talk.record("agent", "", "a1", at=0, lasts=100)
    talk.call(at=10)
    talk.record("agent", "", "a2", unit=2)

    assert talk.read == ["a1", "a2"]


def test_what_was_said_in_a_window_may_be_left() -> None:
    """An input that shows the middle of the line goes on from there."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.call("u1 a1 u2", "a2")
    talk.call("a1 u2 a2 u3", "a3")
    talk.call("a1 u2 a5 u5", "a6")

    assert talk.read == ["u1", "a1", "u2", "a2", "u3", "a3", "1:a5", "1:u5", "1:a6"]
    assert talk.forks == {1: ("u2", "fork")}


def test_a_sub_agent_begins_again() -> None:
    """A second run of a sub-agent has a branch of its own."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.call("u2", "a2", lane="one")
    talk.call("u2 a2 t2", "a3", lane="one")
    talk.call("u3", "a4", lane="one")

    assert talk.read == ["u1", "a1", "1:u2", "1:a2", "1:t2", "1:a3", "2:u3", "2:a4"]
    assert talk.forks == {1: ("a1", "sub_agent"), 2: ("a1", "sub_agent")}


def test_many_threads_at_once_stay_apart() -> None:
    """More threads than are compared as a whole are found by their messages."""
    talk = Talk()
    talk.call("u0", "a0")
    for number in range(1, 8):
        talk.call(f"u0 a0 u{number}", f"a{number}")
    for number in range(1, 8):
        talk.call(f"u0 a0 u{number} a{number} u{number + 10}", f"a{number + 10}")

    assert talk.read[2:4] == ["u1", "a1"]
    assert talk.read[-2:] == ["6:u17", "6:a17"]
    assert len(talk.read) == 2 + 2 * 14


def test_embeddings_are_no_part_of_a_conversation() -> None:
    """What is embedded was not said to a model that answers."""
    talk = Talk()
    talk.call("u5")
    talk.members[-1] = talk.members[-1]._replace(facts=talk.members[-1].facts._replace(kind="embedding"))
    talk.call("u1", "a1")

    assert talk.read == ["u1", "a1"]


def test_an_answer_out_of_a_cache_is_told() -> None:
    """No model was called, and somebody was answered."""
    talk = Talk()
    talk.call("u1", "a1", counted=False, reason="cache_hit")
    talk.call(counted=False, reason="cache_hit")

    assert talk.read == ["u1", "a1"]


def test_a_chain_is_made_of_content() -> None:
    """Each message has its digest, its likeness and its role."""
    made = Chain.of(Content((message("s1"), message("u1")), (message("a1"),), is_new=True), unit=1, record=2, time=3)

    assert made == chain(2, "s1 u1", "a1", is_new=True)._replace(time=3)
    assert [(one.digest, one.role) for one in made.input] == [
        (message("s1").digest, "system"),
        (message("u1").digest, "user"),
    ]


def test_an_answer_in_other_words_is_not_told_again() -> None:
    """A framework may write the last answer differently for the next step of the same turn; in another turn that is an edit."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.call("u1 a8 t1", "a2")
    talk.call("u1 a8 t1 a9 t2", "a3")
    talk.call("u1 a8 t1 a9 t2 a3 u2", "a4", unit=2)
    talk.call("u1 a8 t1 a9 t2 a3 u2 a7 u3", "a5", unit=3)

    assert talk.read == ["u1", "a1", "t1", "a2", "t2", "a3", "u2", "a4", "1:a7", "1:u3", "1:a5"]
    assert talk.forks == {1: ("u2", "fork")}


def test_a_tool_that_told_itself_may_be_repeated_or_not() -> None:
    """Both ways the next turn goes on in the line."""
    for repeated in ("t1 t2 ", "t1 ", ""):
        talk = Talk()
        talk.call("u1", "a1")
        talk.record("tool", came="t1")
        talk.record("tool", came="t2")
        talk.call(f"u1 a1 {repeated}u2", "a2", unit=2)

        assert talk.read == ["u1", "a1", "t1", "t2", "u2", "a2"]


def test_of_agents_inside_each_other_the_outer_one_tells() -> None:
    """What is in the time of another agent repeats it."""
    talk = Talk()
    talk.record("agent", "u1", "a1", at=0, lasts=100)
    talk.record("agent", "u2", "a2", at=10, lasts=20)
    talk.record("agent", "u3", "a3", at=200, lasts=20)

    assert talk.read == ["u1", "a1", "u3", "a3"]


def test_an_agent_that_says_nothing_new_adds_nothing() -> None:
    """What is known to its end, or up to a message in the middle, starts no branch where nobody answers."""
    talk = Talk()
    talk.call("u1", "a1")
    talk.call("u1 a1 u2", "a2", unit=2)
    talk.record("agent", "u1 a1 u2 a2", unit=3)
    talk.record("agent", "u1 a1", unit=4)
    talk.call("u1 a1 u3", "a3", unit=5)

    assert talk.read == ["u1", "a1", "u2", "a2", "1:u3", "1:a3"]


def test_a_tool_does_not_repeat_that_it_was_asked_for() -> None:
    """The answer of the call says it already."""
    talk = Talk()
    talk.call("", "a8")
    talk.record("tool", "a8", "t1")

    assert talk.read == ["a8", "t1"]
