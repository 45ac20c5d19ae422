"""Every small example prints what its text promises."""

from __future__ import annotations

import sys

import pytest
from tests import processes


def printed(example: str) -> list[str]:
    """The lines an example prints, run as its docstring says; nothing may be on stderr."""
    process = processes.run(sys.executable, "-m", f"examples.{example}")
    assert (0, "") == (process.returncode, process.stderr)
    return process.stdout.splitlines()


def test_quickstart_prints_the_session_with_its_cost() -> None:
    """The README's first example adds up two traces, and prices them."""
    assert [
        "Order #12345: 2 traces, 2 calls, 144 tokens",
        "users ('user-a',), cost 0.0000324 USD (genai-prices 0.2.3)",
    ] == printed("quickstart")


def test_streaming_keeps_the_session_for_every_chunk() -> None:
    """Chunks that Starlette fetches from several threads, and those of a foreign iterator, are in their sessions."""
    assert [
        "chunk on session.id=ticket-1",
        "chunk its session.id=ticket-1",
        "chunk way session.id=ticket-1",
        "stream session.id=ticket-1",
        "on its way ",
        "chunk thank session.id=ticket-2",
        "chunk you session.id=ticket-2",
        "thank you ",
    ] == printed("streaming_fastapi")


def test_threads_lose_the_session_unless_it_is_bound() -> None:
    """A bare thread has no session; a bound function has it in a pool and in a thread."""
    assert [
        "bare thread (no session)",
        "bound in a pool session.id=import-7 user.id=user-a",
        "bound thread session.id=import-7 user.id=user-a",
    ] == printed("threads")


def test_asyncio_tasks_keep_their_sessions_apart() -> None:
    """Concurrent tickets do not mix, an inner key is added, and the background job is in no session."""
    lines = printed("asyncio_tasks")
    assert {
        "research session.id=ticket-1 session.key.agent_run=ticket-1-research user.id=user-a",
        "research session.id=ticket-2 session.key.agent_run=ticket-2-research user.id=user-b",
        "refresh cache session.cut=('*',)",
        "handle ticket-1 session.id=ticket-1 user.id=user-a",
        "handle ticket-2 session.id=ticket-2 user.id=user-b",
    } == set(lines)


def test_job_queue_hands_the_session_to_another_process() -> None:
    """The worker's span carries what the producer put into the headers."""
    assert ["job 1 session.id=import-7 session.key.attempt=2 session.tags=('nightly',) user.id=user-a"] == printed(
        "job_queue"
    )


@pytest.mark.parametrize(
    "line",
    [
        "baggage: session.id=ticket-2611,session.key.conversation_id=conv-1,user.id=user-a",
        "back session.id=ticket-2611 session.key.conversation_id=conv-1 user.id=user-a",
        "edge (no session)",
    ],
)
def test_services_pass_the_session_on_and_an_edge_refuses_it(line: str) -> None:
    """Baggage carries the session to a service that accepts it, and not to one that accepts none."""
    assert line in printed("services_with_baggage")
