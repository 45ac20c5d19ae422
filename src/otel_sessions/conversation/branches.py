"""`Branches`: puts tellings together to lines: each message once, on the branch that it is of.

A call whose input goes on from the end of a line adds what is new. One that leaves a known line starts a branch. Dropping the oldest
messages is no branch, as long as the rest goes on from the end of the line. A lane whose calls never repeat what was said before
goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from otel_sessions.content.message import SYSTEM, TOOL
from otel_sessions.conversation.chains import WIDTH, Links, unpacked
from otel_sessions.conversation.history import ROOT, History
from otel_sessions.conversation.lines import COMPACTION, FORK, MAIN, SUB_AGENT, Line
from otel_sessions.conversation.tellings import TOOL_RUN, Telling
from otel_sessions.conversation.threads import Lane, run_of

_LONG: Final = 4
"""How many messages a line has at least that can be summed up."""

_Fork = tuple[int | None, str]


class _Place(NamedTuple):
    """Where a telling goes on.

    Attributes:
        node: the message that it goes on from.
        branch: the branch of what is new.
        fork: set if the branch is new.
        new: its messages after `node`.
        told: how many of the new ones were told before, by place the index of their line.
        path: the likenesses of all that leads to `node`, if this telling repeats it from the beginning.
    """

    node: int
    branch: int
    fork: _Fork | None
    new: Links
    told: dict[int, int]
    path: bytes | None


class Branches:
    """The lines of a conversation; tellings are added in the order of time."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._history = History()
        self._lanes: dict[str | None, Lane] = {}
        self._lane_of_branch: list[str | None] = [None]
        self._ends: list[int] = []

    def add(self, one: Telling, turn: int) -> None:
        """Tell what is new in a telling."""
        lane = self._lanes.get(one.lane)
        if lane is None:
            lane = self._lanes[one.lane] = Lane(one.lane)
        leading = len(one.input) - len(one.input.roles.lstrip(b"s"))
        given = one.input.after(leading)
        place = self._place(one, turn, lane, given)
        if one.kind == TOOL_RUN:
            self._beside(one, turn, lane, place)
            return
        if one.call is None and one.captured and not one.output and len(place.new) == len(place.told):
            if place.fork is not None:
                self._lane_of_branch.pop()
            return
        fork = place.fork
        node = place.node
        for link in one.input.until(leading):
            said = link.likeness.to_bytes(WIDTH, "little")
            lane.system = said
            if said not in lane.systems:
                lane.systems.add(said)
                self._line(one, turn, place.branch, one.start, SYSTEM, link.digest, fork)
                fork = None
        if given and not leading:
            lane.system = b""
        for number, link in enumerate(place.new):
            line = place.told.get(number)
            if line is None:
                line = self._line(one, turn, place.branch, one.start, link.role, link.digest, fork)
                fork = None
            node = self._history.add(node, link.likeness, line, place.branch)
        node = self._answer(one, turn, place.branch, node, fork)
        lane.move(
            node, place.branch, before=place.node, said=place.new.likenesses + one.output.likenesses, path=place.path
        )
        lane.end, lane.turn, lane.last_line = max(lane.end, one.end), turn, len(self.lines) - 1

    def _beside(self, one: Telling, turn: int, lane: Lane, place: _Place) -> None:
        """Tell the run of a tool, which later calls repeat or not."""
        fork = place.fork
        node = lane.tip if lane.beside is None else lane.beside
        for link in (*one.input, *one.output):
            line = self._line(one, turn, place.branch, one.end, link.role, link.digest, fork)
            node = self._history.add(node, link.likeness, line, place.branch, beside=True)
            fork = None
        if not one.output:
            self._line(one, turn, place.branch, one.end, TOOL, None, fork)
        lane.beside, lane.branch, lane.last_line = node, place.branch, len(self.lines) - 1

    def _answer(self, one: Telling, turn: int, branch: int, node: int, fork: _Fork | None) -> int:
        """Tell what came back, or that it is missing."""
        call_told = False
        for link in one.output:
            line = self._line(one, turn, branch, one.end, link.role, link.digest, fork, answers=not call_told)
            node = self._history.add(node, link.likeness, line, branch)
            call_told, fork = True, None
        if not one.output and one.role is not None and not (one.captured and one.call is None):
            at = one.end if one.call is not None else one.start
            self._line(one, turn, branch, at, one.role, None, fork, answers=True)
        return node

    def _line(
        self,
        one: Telling,
        turn: int,
        branch: int,
        time: int,
        role: str,
        digest: int | None,
        fork: _Fork | None,
        *,
        answers: bool = False,
    ) -> int:
        index = len(self.lines)
        self._ends.append(one.end)
        self.lines.append(
            Line(
                index,
                turn,
                one.trace_id,
                one.record,
                time,
                role,
                one.lane,
                branch,
                digest,
                one.call if answers else None,
                fork,
                captured=digest is not None or one.captured,
                switch=one.switch if digest is None and not one.captured else None,
            )
        )
        return index

    def _place(self, one: Telling, turn: int, lane: Lane, given: Links) -> _Place:
        history = self._history
        if not given or one.is_new:
            if one.compacted and lane.branch is not None:
                return self._forked(lane, ROOT, COMPACTION, given, b"")
            return self._going_on(lane, given)
        node, count = lane.known(history, given)
        new = given.after(count)
        if count and history.is_tip[node]:
            lane.replays = lane.replays or count > 1
            branch, fork = self._branch_after(lane, node)
            return _Place(node, branch, fork, new, {}, given.likenesses[: count * WIDTH])
        likenesses = unpacked(given.likenesses)
        last, length = self._run(lane, likenesses, 0)
        if length and length >= count and history.is_tip[last]:
            # The oldest messages were dropped, or the same beginning was said twice.
            lane.replays = lane.replays or length > 1
            return _Place(last, history.branches[last], None, given.after(length), {}, None)
        if new:
            return self._leaving(one, turn, lane, given, node, count)
        if self._is_said_again(one, turn, lane, given, node):
            return self._going_on(lane, given)
        return self._forked(lane, node, COMPACTION if one.compacted else FORK, new, given.likenesses)

    def _leaving(self, one: Telling, turn: int, lane: Lane, given: Links, node: int, count: int) -> _Place:
        """Where a call goes on that leaves a known line after `count` messages, or shares nothing with it from the beginning."""
        history = self._history
        likenesses = unpacked(given.likenesses)
        if count:
            last, length = self._run(lane, likenesses, count)
            if length > 1 and history.is_tip[last]:
                # Messages in the middle were dropped.
                return _Place(last, history.branches[last], None, given.after(count + length), {}, None)
        if self._is_compaction(one, turn, lane, given, count):
            path = given.likenesses[: count * WIDTH]
            told = self._kept(turn, lane, likenesses, count)
            return self._forked(lane, node, COMPACTION, given.after(count), path, told)
        if self._is_retold(turn, lane, given, node, count):
            history.alias(node, likenesses[count], lane.tip)
            branch, fork = self._branch_after(lane, lane.tip)
            return _Place(lane.tip, branch, fork, given.after(count + 1), {}, None)
        if count:
            return self._forked(lane, node, FORK, given.after(count), given.likenesses[: count * WIDTH])
        last, length = self._run(lane, likenesses, 0)
        if length > 1 or (length == len(given) and not self._is_said_again(one, turn, lane, given, last)):
            return self._forked(lane, last, FORK, given.after(length), None)
        if not lane.replays and (lane.name is None or one.start >= lane.end):
            return self._going_on(lane, given)
        return self._forked(lane, ROOT, FORK if lane.name is None else SUB_AGENT, given, b"")

    def _run(self, lane: Lane, likenesses: Sequence[int], start: int) -> tuple[int, int]:
        return run_of(self._history, self._lane_of_branch, lane.name, likenesses, start)

    def _going_on(self, lane: Lane, given: Links) -> _Place:
        """After the last message of the lane, whatever it was."""
        branch, fork = (lane.branch, None) if lane.branch is not None else self._begun(lane, ROOT, SUB_AGENT)
        return _Place(lane.tip, branch, fork, given, {}, b"" if lane.tip == ROOT else None)

    def _forked(
        self, lane: Lane, node: int, kind: str, new: Links, path: bytes | None, told: dict[int, int] | None = None
    ) -> _Place:
        branch, fork = self._begun(lane, node, kind)
        return _Place(node, branch, fork, new, told or {}, path)

    def _branch_after(self, lane: Lane, node: int) -> tuple[int, _Fork | None]:
        """The branch of what follows the end of a line: its own, that of the agent which goes on after a sub-agent, or a new one."""
        branch = self._history.branches[node]
        if self._lane_of_branch[branch] == lane.name:
            return branch, None
        if lane.branch is not None and self._history.is_above(lane.tip, node):
            return lane.branch, None
        return self._begun(lane, node, FORK)

    def _begun(self, lane: Lane, node: int, kind: str) -> tuple[int, _Fork | None]:
        """A new branch, and what its first line says of it."""
        if lane.branch is None:
            if lane.name is None:
                return MAIN, None
            kind = SUB_AGENT
        self._lane_of_branch.append(lane.name)
        line = lane.last_line if kind == COMPACTION else self._history.lines[node]
        if kind == SUB_AGENT and line is None and None in self._lanes:
            line = self._lanes[None].last_line
        return len(self._lane_of_branch) - 1, (line, kind)

    def _is_retold(self, turn: int, lane: Lane, given: Links, node: int, count: int) -> bool:
        """Return True if the message that leaves the line is the last answer in other words, as frameworks write it for the model's next step."""
        line = self._history.lines[lane.tip]
        if not count or count + 1 >= len(given) or line is None or self._history.parents[lane.tip] != node:
            return False
        return turn == lane.turn and self.lines[line].call is not None and given.roles[count : count + 1] == b"a"

    def _is_said_again(self, one: Telling, turn: int, lane: Lane, given: Links, node: int) -> bool:
        """Return True if an input of one known message is a user's who says the same once more, and not an answer given again."""
        line = self._history.lines[node]
        if line is None or len(given) > 1 or lane.replays:
            return False
        known = self.lines[line]
        return known.turn != turn and known.lane == lane.name and self._ends[line] <= one.start

    def _is_compaction(self, one: Telling, turn: int, lane: Lane, given: Links, count: int) -> bool:
        """Return True if an input sums up what was said: the record says so, or a message stands for those that are missing."""
        history = self._history
        if lane.branch is None or one.compacted:
            return one.compacted and lane.branch is not None
        if count + 1 < len(given):
            last, length = self._run(lane, unpacked(given.likenesses), count + 1)
            if history.is_tip[last] and (length > 1 or (length == 1 and last == lane.tip)):
                return True
        if count or not lane.replays:
            return False
        depth = history.depths[lane.tip]
        system = one.input.likenesses[:WIDTH] if one.input.roles.startswith(b"s") else b""
        is_short = depth >= _LONG and 2 * len(given) <= depth
        is_within_turn = lane.name is None and turn == lane.turn
        return is_short and system == lane.system and (len(given) > 1 or is_within_turn)

    def _kept(self, turn: int, lane: Lane, likenesses: Sequence[int], count: int) -> dict[int, int]:
        """The lines of those messages after the first `count` that were told before, by their places."""
        history = self._history
        told: dict[int, int] = {}
        place = count
        while place < len(likenesses):
            last, length = self._run(lane, likenesses, place)
            line = history.lines[last]
            if line is None or not (length > 1 or history.is_tip[last] or self.lines[line].turn == turn):
                place += 1
                continue
            for back in range(length):
                line = history.lines[last]
                assert line is not None
                told[place + length - 1 - back - count] = line
                last = history.parents[last]
            place += length
        return told
