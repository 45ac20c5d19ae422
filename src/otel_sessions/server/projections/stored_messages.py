"""Messages and chains that go with spans and log records in the deletion queue."""

from __future__ import annotations

from typing import Final

from clickhouse_connect.driver.client import Client

from otel_sessions.server.projections.statements import statement

_CHAINS: Final = "going_chains"


def delete_queued_messages(client: Client, queue: int) -> int:
    """Delete what records in the queue hold, but no message that another record of its owner repeats; return how many messages.

    Call it while nothing else writes, and then have messages that are remembered as stored forgotten.
    """
    chains = statement(_CHAINS)
    going = statement("going_messages", going=chains, digests=statement("digests_of_chain"))
    parameters = {"queue": queue}
    count = int(client.query(statement("count_going_messages", going=going), parameters=parameters).result_rows[0][0])
    if count:
        client.command(statement("delete_messages", going=going), parameters=parameters)
    # Last: they lead to the messages.
    client.command(statement("delete_chains", going=chains), parameters=parameters)
    return count
