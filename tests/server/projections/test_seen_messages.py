"""Messages that were stored lately are remembered within bounds."""

from __future__ import annotations

from otel_sessions.server.projections.seen_messages import SeenMessage, SeenMessages


def seen(digest: int) -> SeenMessage:
    """A message of one owner on one day."""
    return SeenMessage("id", 1, digest, 20_000)


def test_what_was_used_least_recently_is_forgotten() -> None:
    """Above the bound the message goes that was neither added nor looked up for longest."""
    messages = SeenMessages(2)
    messages.add([seen(1), seen(2)])
    assert seen(1) in messages
    messages.add([seen(3)])
    assert [seen(digest) in messages for digest in (1, 2, 3)] == [True, False, True]
    messages.clear()
    assert seen(1) not in messages


def test_a_message_is_one_of_an_owner_and_a_day() -> None:
    """The same message of another owner, or on another day, was not stored."""
    messages = SeenMessages()
    messages.add([seen(1)])
    assert [
        one in messages for one in (seen(1)._replace(owner=2), seen(1)._replace(key=""), seen(1)._replace(day=1))
    ] == [
        False,
        False,
        False,
    ]
