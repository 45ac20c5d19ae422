"""asyncio: concurrent tasks have separate sessions, a background job has none: `python -m examples.asyncio_tasks`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from examples.printing import printing_provider

from otel_sessions import no_session, propagate_sessions

tracer = printing_provider().get_tracer("examples.asyncio")


@dataclass(frozen=True, slots=True)
class Ticket:
    """The ticket of a request."""

    id: str
    user: str


@propagate_sessions(lambda ticket: ticket.id, user_id=lambda ticket: ticket.user)
async def handle(ticket: Ticket) -> None:
    """Handle one ticket; its sub-agent has a session of its own under another key."""
    with tracer.start_as_current_span(f"handle {ticket.id}"):
        await asyncio.sleep(0)
        async with propagate_sessions(agent_run=f"{ticket.id}-research"):
            with tracer.start_as_current_span("research"):
                await asyncio.sleep(0)
        with no_session():
            await asyncio.create_task(refresh_cache())


async def refresh_cache() -> None:
    """Do work that belongs to no ticket."""
    with tracer.start_as_current_span("refresh cache"):
        await asyncio.sleep(0)


async def tickets() -> None:
    """Handle two tickets at once."""
    await asyncio.gather(handle(Ticket("ticket-1", "user-a")), handle(Ticket("ticket-2", "user-b")))


def main() -> None:
    """Run the tasks."""
    asyncio.run(tickets())


if __name__ == "__main__":
    main()
