"""What holds for every conversation: order changes nothing, each message stands once, and branches lead to what calls were given."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conversation.talking import WORDS, Talk
from tests.counting.building import AT, fact, in_session

from otel_sessions.conversation.lines import Line
from otel_sessions.counting.units import unit_of

CELL = unit_of(fact(1, event="x", start=AT, end=AT, **in_session("s")))
LANES = st.sampled_from([None, None, "one", "two"])
WORD = st.sampled_from(["s1", "s2", "u1", "u2", "u3", "a1", "a2", "t1", "t2"])
SAID = st.lists(WORD, max_size=5).map(" ".join)
EVENTS = st.sampled_from(["", "claude_code.user_prompt", "claude_code.assistant_response", "claude_code.tool_result"])


@st.composite
def talks(draw: st.DrawFn) -> Talk:
    """Any session, also one that makes no sense."""
    talk = Talk()
    for _ in range(draw(st.integers(0, 9))):
        event = draw(EVENTS)
        in_cell = bool(event) and draw(st.booleans())
        known = {
            "given": draw(SAID),
            "came": draw(SAID),
            "unit": CELL if in_cell else draw(st.integers(1, 3)),
            "lane": draw(LANES),
            "at": draw(st.integers(0, 60)),
            "lasts": draw(st.integers(0, 30)),
            "span_id": draw(st.one_of(st.none(), st.integers(1, 6))),
            "parent": draw(st.one_of(st.none(), st.integers(1, 6))),
            "is_new": draw(st.booleans()),
            "compacted": draw(st.booleans()),
            "event": event,
            "turn": draw(st.sampled_from([None, None, "p1", "p2"])),
            **(in_session("s") if in_cell else {}),
        }
        if draw(st.booleans()):
            counted = draw(st.booleans())
            by = None if counted else draw(st.one_of(st.none(), st.integers(1, 6)))
            reason = None if counted else draw(st.sampled_from(["duplicate", "covered_by_children", "cache_hit"]))
            talk.call(**known, counted=counted, counted_as=by, reason=reason, failed=draw(st.booleans()))
        else:
            talk.record(draw(st.sampled_from(["tool", "agent", "workflow", "other", "embedding", "llm"])), **known)
    places = {(one.unit, one.facts.span_id): place for place, one in enumerate(talk.members)}
    kept = [talk.members[place] for place in sorted(places.values())]
    chains = {(one.unit, one.record): one for one in talk.chains}
    calls = {(one.trace_id, one.span_id): one for one in talk.calls}
    return replace(talk, members=kept, chains=list(chains.values()), calls=list(calls.values()))


@settings(deadline=None)
@given(talks(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_known_changes_nothing(talk: Talk, random: object) -> None:
    """Whatever order spans, records and calls come in, the conversation is the same; indexes count up, branches begin once."""
    lines = talk.lines()
    other = replace(talk, members=[*talk.members], calls=[*talk.calls], chains=[*talk.chains])
    for given_ in (other.members, other.calls, other.chains):
        random.shuffle(given_)  # type: ignore[attr-defined]

    assert other.lines() == lines
    assert [line.index for line in lines] == list(range(len(lines)))
    begun = [line.branch for line in lines if line.fork is not None]
    assert sorted(begun) == sorted({line.branch for line in lines} - {0})
    for line in lines:
        assert line.fork is None or line.fork[0] is None or line.fork[0] < line.index
    answered = [(one.call.trace_id, one.call.span_id) for one in lines if one.call is not None]
    assert len(answered) == len(set(answered))


@settings(deadline=None)
@given(st.data())
def test_branches_lead_to_what_calls_were_given(data: st.DataObject) -> None:
    """Each message of an app that goes on, goes back, edits and asks again stands once, on the way to what its calls were given."""
    talk = Talk()
    histories = [["u1", "a1"]]
    talk.call("s1 u1", "a1")
    talk.call("s1 u1 a1 u2", "a2", unit=2)
    histories.append(["u1", "a1", "u2", "a2"])
    words = ["s1", "u1", "a1", "u2", "a2"]
    for number in range(3, data.draw(st.integers(3, 12))):
        history = data.draw(st.sampled_from(histories))
        again = data.draw(st.booleans()) and history[-1].startswith("a")
        kept = history[:-1] if again else [*history[: 2 * data.draw(st.integers(1, len(history) // 2))], f"u{number}"]
        histories.append([*kept, f"a{number}"])
        words += [f"a{number}"] if again else [f"u{number}", f"a{number}"]
        talk.call(" ".join(["s1", *kept]), f"a{number}", unit=number)

    lines = talk.lines()

    said = [WORDS[line.digest] for line in lines if line.digest is not None]
    assert sorted(said) == sorted(words)
    answers = [line for line in lines if line.call is not None]
    assert [_way(lines, line) for line in answers] == histories


def _way(lines: list[Line], line: Line) -> list[str]:
    """The messages that lead to a line, and its own."""
    way: list[str] = []
    at: int | None = line.index
    branch = line.branch
    while at is not None:
        mine = [one for one in lines[: at + 1] if one.branch == branch]
        way = [WORDS[one.digest] for one in mine if one.digest is not None and one.role != "system"] + way
        at = mine[0].fork[0] if mine[0].fork is not None else None
        branch = 0 if at is None else lines[at].branch
    return way


@settings(deadline=None)
@given(talks(), st.integers(0, 100))
def test_what_comes_later_renumbers_nothing(talk: Talk, until: int) -> None:
    """Calls that begin after all others have ended leave the lines before them as they are."""
    calls_only = replace(talk, members=[], chains=[one for one in talk.chains if one.parent == 0])
    counted = [one for one in talk.calls if one.counted and one.trace_id is not None]
    border = AT + until * 1_000_000
    before = [one for one in counted if one.start < border]
    known = {(one.trace_id, one.span_id) for one in counted}
    chains = [one for one in calls_only.chains if (one.unit, one.record) in known]
    early = {(one.trace_id, one.span_id) for one in before}
    whole = replace(calls_only, calls=counted, chains=chains).lines()
    part = replace(calls_only, calls=before, chains=[one for one in chains if (one.unit, one.record) in early]).lines()

    assert whole[: len(part)] == part
