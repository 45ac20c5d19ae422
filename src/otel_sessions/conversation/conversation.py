"""`conversation`: from the chains and the calls of a session to its messages, each once, when it was new."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from otel_sessions.conversation.around import told_around
from otel_sessions.conversation.beside import told_beside
from otel_sessions.conversation.branches import Branches
from otel_sessions.conversation.chains import Chain
from otel_sessions.conversation.compactions import with_compactions
from otel_sessions.conversation.joining import join_sides
from otel_sessions.conversation.lines import Line, Member
from otel_sessions.conversation.records import Records
from otel_sessions.conversation.repeated import with_repeated
from otel_sessions.conversation.standing import call_tellings
from otel_sessions.conversation.tellings import Place, Telling, in_order
from otel_sessions.conversation.told_once import told_once
from otel_sessions.conversation.tools import told_by_tools
from otel_sessions.conversation.turns import turns_of
from otel_sessions.counting.model_call import ModelCall

__all__ = ["Line", "Member", "Switch", "conversation"]

Switch = Callable[[str, str | None], str | None]
"""From an instrumentation scope and a service to what turns capturing on there."""


def _unknown(scope: str, service: str | None) -> None:
    del scope, service


def conversation(
    members: Iterable[Member], calls: Iterable[ModelCall], chains: Iterable[Chain], *, switch: Switch = _unknown
) -> list[Line]:
    """The lines of a conversation, in the order in which they were said; the order of the arguments changes nothing.

    Args:
        members: the spans and log records of the session that may tell of it.
        calls: the list of the session's calls, with what was not counted.
        chains: what was captured of its records.
        switch: what turns capturing on for an instrumentation scope and a service.
    """
    records = Records(members, calls, chains)
    used: set[Place] = set()
    by_call = call_tellings(records, used)
    join_sides(records, by_call, used)
    around = told_around(records, by_call, used)
    with_repeated(by_call)
    told = in_order([*by_call.values(), *around, *told_beside(records, used), *told_by_tools(records)])
    turns = turns_of(records, told)
    branches = Branches()
    for one in with_compactions(records, told_once(told, turns)):
        named = one if one.captured else one._replace(switch=_switch(records, one, switch))
        branches.add(named, turns[(one.unit, one.record), one.kind])
    return branches.lines


def _switch(records: Records, one: Telling, switch: Switch) -> str | None:
    member = records.members.get((one.unit, one.record))
    return None if member is None else switch(member.facts.scope, member.facts.labels.service)
