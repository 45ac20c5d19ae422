"""gRPC calls whose message does not come end late, and others are served meanwhile."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from tests.server.otlp.building import traces
from tests.server.receivers.serving import DEADLINE, LOGS_EXPORT, METRICS_EXPORT, TRACE_EXPORT, Server

from otel_sessions.server.backend import Backend
from otel_sessions.server.receivers.grpc import DECODING_CALLS, THREADS
from otel_sessions.server.receivers.waiting_calls import DEFAULT_MESSAGE_LIMITS, MessageLimits

METHODS = [TRACE_EXPORT, LOGS_EXPORT, METRICS_EXPORT]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
BODY = traces({"trace_id": b"w" * 16}).SerializeToString()


@contextmanager
def silent_calls(
    server: Server, number: int, method: str = TRACE_EXPORT, may_send: threading.Event | None = None
) -> Iterator[list[Any]]:
    """Calls that the server has begun; their messages come when `may_send` is set, by default never."""
    done = may_send or threading.Event()

    def messages() -> Iterator[bytes]:
        done.wait(2 * DEADLINE)
        yield BODY

    with ExitStack() as stack:
        stack.callback(done.set)
        calls = []
        for _ in range(number):
            channel = stack.enter_context(
                grpc.insecure_channel(server.target, options=[("grpc.use_local_subchannel_pool", 1)])
            )
            calls.append(channel.stream_unary(method).future(messages()))
            grpc.channel_ready_future(channel).result(DEADLINE)
        yield calls


@contextmanager
def serving(backend: Backend, **limits: Any) -> Iterator[Server]:
    """A server with these limits of messages."""
    with Server(backend, message_limits=DEFAULT_MESSAGE_LIMITS._replace(slow_seconds=0.01, **limits)) as server:
        yield server


@pytest.mark.parametrize("method", METHODS)
def test_silent_calls_hold_up_no_others(shared: Server, method: str) -> None:
    """More calls than are decoded at the same time may be silent, and others are answered."""
    assert DECODING_CALLS < 40 < THREADS
    with silent_calls(shared, 40, method):
        assert shared.call(BODY) == b""
        assert shared.call(b"", METRICS_EXPORT) == b""


def test_a_message_that_comes_late(shared: Server) -> None:
    """A message that takes a while is taken."""
    may_send = threading.Event()
    with silent_calls(shared, 3, may_send=may_send) as calls:
        assert shared.call(BODY) == b""
        may_send.set()
        assert [call.result(DEADLINE) for call in calls] == [b""] * 3


@pytest.mark.parametrize("method", METHODS)
def test_a_message_that_does_not_come(backend: Backend, method: str) -> None:
    """A call is cancelled when its time is over, and counted as refused."""
    signal = {TRACE_EXPORT: "traces", LOGS_EXPORT: "logs", METRICS_EXPORT: "metrics"}[method]
    with serving(backend, seconds=0.02) as server:
        with silent_calls(server, 3, method) as calls:
            assert [call.exception(DEADLINE).code() for call in calls] == [grpc.StatusCode.CANCELLED] * 3
        assert server.call(b"", method) == b""
    assert (signal, "SlowCall") in server.refused()


def test_too_many_slow_calls(backend: Backend) -> None:
    """When too many calls are slow, the oldest are cancelled, and the others may go on."""
    with serving(backend, slow_calls=2) as server, silent_calls(server, 1) as first, silent_calls(server, 2) as others:
        assert first[0].exception(DEADLINE).code() == grpc.StatusCode.CANCELLED
        assert [call.done() for call in others] == [False, False]
        assert server.call(BODY) == b""


def test_a_call_without_a_message(shared: Server) -> None:
    """A call that ends without a message is an invalid one."""
    with grpc.insecure_channel(shared.target) as channel, pytest.raises(grpc.RpcError) as failed:
        channel.stream_unary(TRACE_EXPORT)(iter(()), timeout=DEADLINE)
    assert failed.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "no message" in failed.value.details()


def test_a_client_that_goes_away(shared: Server) -> None:
    """A call whose client goes away before it sends a message leaves nothing behind."""
    with silent_calls(shared, 3) as calls:
        for call in calls:
            call.cancel()
    assert shared.call(BODY) == b""


@pytest.mark.parametrize("method", METHODS)
def test_without_the_key_no_message_is_waited_for(backend: Backend, method: str) -> None:
    """A silent call without the API key is refused at once."""
    with Server(backend, api_key="secret") as server, silent_calls(server, 10, method) as calls:
        assert {call.exception(DEADLINE).code() for call in calls} == {grpc.StatusCode.UNAUTHENTICATED}


def test_too_many_connections(backend: Backend) -> None:
    """Connections over the limit are closed, and one is taken again when another has ended."""
    with Server(backend, connections=2) as server:
        address = ("127.0.0.1", server.grpc_port)
        with ExitStack() as stack:
            for _ in range(2):
                assert _settings_of(stack.enter_context(socket.create_connection(address, DEADLINE)))
            refused = stack.enter_context(socket.create_connection(address, DEADLINE))
            assert _settings_of(refused) == b""
        # The server notices a moment later that the two have ended.
        assert server.call(BODY, wait_for_ready=True) == b""


def _settings_of(connection: socket.socket) -> bytes:
    """The first bytes that a server of HTTP/2 sends; none if it closes the connection."""
    with suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(PREFACE + struct.pack(">I", 0)[1:] + b"\x04\0" + bytes(4))
        return connection.recv(9)
    return b""


def test_the_limits_let_slow_clients_through() -> None:
    """5 MB at 64 kB/s take less than the time for a message."""
    assert 5_000_000 / 64_000 < MessageLimits().seconds
