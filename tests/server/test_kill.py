"""Killed at any moment, a server loses nothing that it acknowledged and counts nothing twice.

`OTEL_SESSIONS_KILL_ROUNDS` is the number of times that each test kills it.
"""

from __future__ import annotations

import http.client
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from tests.exporting import chat, finished
from tests.server.missing import report, span_rows
from tests.server.running import Server, post

from otel_sessions import RollupLimits, SessionExporter
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.clickhouse.store_settings import StoreSettings

ROUNDS = int(os.environ.get("OTEL_SESSIONS_KILL_ROUNDS", "3"))
CLIENTS = 4
REQUESTS = 40
"""The requests of each round."""

PAUSE = 0.02
DEADLINE = 120
DYING = str(Path(__file__).with_name("dying.py"))


def conversations(rng: random.Random, traces: int) -> list[ReadableSpan]:
    """Spans of a few sessions under two keys, some of them failed, with calls to be priced."""
    spans = []
    for trace in range(1, traces + 1):
        session = f"s{rng.randrange(traces // 8 + 2)}"
        attributes = {"session.key.ticket": f"t{trace % 5}", "user.id": f"u{trace % 3}"}
        first = trace * 100
        spans.append(
            finished(
                first, session=session, trace=trace, attributes=attributes, failed=rng.random() < 0.2, at=(0, 9000)
            )
        )
        for number in range(1, rng.randint(2, 8)):
            tokens = rng.randint(1, 1000), rng.randint(1, 100)
            at = (number * 1000, number * 1000 + 100)
            spans.append(chat(first + number, first, trace=trace, tokens=tokens, at=at))
    return spans


def requests_of(rng: random.Random, spans: Sequence[ReadableSpan], number: int) -> list[bytes]:
    """The spans in any order, in the given number of requests."""
    requests: list[list[ReadableSpan]] = [[] for _ in range(number)]
    for span in spans:
        rng.choice(requests).append(span)
    return [encode_spans(request).SerializeToString() for request in requests if request]


class Traffic:
    """Clients that send each request again until it is acknowledged, whatever happens to the server.

    An acknowledgement counts only if requests still go to the server that it comes from.
    """

    def __init__(self) -> None:
        self._requests: SimpleQueue[bytes | None] = SimpleQueue()
        self._changed = threading.Condition()
        self._url = ""
        self._over = False
        self.total = 0
        self.acknowledged = 0
        self._threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def to(self, url: str) -> None:
        """Send the next requests to this server; those without an answer by now are sent to it as well."""
        with self._changed:
            self._url = url
            self._changed.notify_all()

    def to_nobody(self) -> None:
        """Send nothing until the next `to`; requests without an answer by now are sent again then."""
        self.to("")

    def add(self, requests: Sequence[bytes]) -> None:
        """Send these requests as well."""
        self.total += len(requests)
        for request in requests:
            self._requests.put(request)

    def wait_for(self, acknowledged: int) -> None:
        """Wait until the given number of requests, or all, are acknowledged."""
        wanted = min(acknowledged, self.total)
        with self._changed:
            assert self._changed.wait_for(lambda: self.acknowledged >= wanted, DEADLINE)

    def end(self) -> None:
        """End the clients, whether all requests are acknowledged or not."""
        with self._changed:
            self._over = True
        for _ in self._threads:
            self._requests.put(None)
        for thread in self._threads:
            thread.join(DEADLINE)

    def _send(self) -> None:
        while (request := self._requests.get()) is not None:
            while not self._is_acknowledged(request):
                with self._changed:
                    self._changed.wait(PAUSE)
                    if self._over:
                        return

    def _is_acknowledged(self, request: bytes) -> bool:
        url = self._url
        try:
            status = post(f"{url}/v1/traces", request)
        except (OSError, ValueError, http.client.HTTPException):
            return False
        with self._changed:
            if status != 200 or url != self._url:
                return False
            self.acknowledged += 1
            self._changed.notify_all()
            return True


@contextmanager
def traffic() -> Iterator[Traffic]:
    """Clients that send until the end of the block."""
    clients = Traffic()
    try:
        yield clients
    finally:
        clients.end()


def check(folder: Path, server: Server, spans: Sequence[ReadableSpan], *, torn: bool = False) -> None:
    """Every number of every session is the library's, and every span has one row; `torn` allows the end of a file kept aside."""
    truth = SessionExporter(limits=RollupLimits(sessions=10_000, traces=100_000, spans=1_000_000))
    truth.export(spans)
    expected, found = {}, {}
    for key in ("id", "ticket"):
        expected[key] = {session.id: session.to_dict() for session in truth.sessions(key, limit=None)}
        found[key] = {session["id"]: session for session in pages(server, f"/v1/sessions?key={key}&limit=100")}
    health = server.get("/healthz")
    requests = folder / "requests"
    waiting = [path.name for path in requests.iterdir()]
    status, _, err = server.stop()
    ids = [span.context for span in spans if span.context is not None]
    wanted = Counter((trace_hex(one.trace_id), span_hex(one.span_id)) for one in ids)
    store = Store(StoreSettings(f"chdb://{folder}", readers=1))
    rows = span_rows(store)
    complete = found == expected and rows == wanted
    said = "" if complete else report(store, wanted, requests=waiting, health=health, log=err)
    store.close()
    assert found == expected, said
    assert rows == wanted, said
    assert status == 0
    assert "Traceback" not in err
    left = [path.name for path in requests.iterdir()]
    assert [name for name in left if not (torn and name.endswith(".damaged"))] == ["next-segment"]


def pages(server: Server, path: str) -> Iterator[Any]:
    """The items of all pages of a list."""
    cursor = ""
    while True:
        page = server.get(path + cursor)
        yield from page["data"]
        if page["pagination"]["next"] is None:
            return
        cursor = f"&cursor={page['pagination']['next']}"


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """A server under load is killed at random moments, inside a commit or not, and loses and repeats nothing.

    Clients do not know if a request was taken whose answer they did not get. Waiting for a random time is what makes the
    moments random.
    """
    rng = random.Random(2611)
    spans = conversations(rng, 60 * ROUNDS)
    with traffic() as clients:
        clients.add(requests_of(rng, spans, REQUESTS * ROUNDS))
        for _ in range(ROUNDS):
            with Server(tmp_path) as server:
                clients.to(server.url)
                clients.wait_for(clients.acknowledged + rng.randint(1, REQUESTS - CLIENTS))
                threading.Event().wait(rng.random() * 0.3)
        with Server(tmp_path) as server:
            clients.to(server.url)
            clients.wait_for(clients.total)
            check(tmp_path, server, spans)


def points(rng: random.Random) -> Iterator[tuple[str, str, int]]:
    """Where to kill the server: after the first insert, then in the replay of the next start, then anywhere."""
    yield from [("insert_spans", "after", 1), ("insert_facts", "after", 1), ("project", "before", 1)]
    while True:
        name = rng.choice(["insert_spans", "insert_facts", "project", "delete"])
        yield name, rng.choice(["before", "after"]), rng.randint(1, 3)


def test_killed_inside_a_commit(tmp_path: Path) -> None:
    """A server that is killed between two writes of a commit, running or replaying, loses and repeats nothing."""
    rng = random.Random(2612)
    lives = ROUNDS + 1
    spans = conversations(rng, 40 * lives)
    requests = requests_of(rng, spans, REQUESTS * lives)
    died_at_start = 0
    with traffic() as clients:
        for life, (name, when, number) in zip(range(lives), points(rng), strict=False):
            clients.add(requests[life::lives])
            server = Server(tmp_path, program=(DYING, name, when, str(number), "serve"))
            with ExitStack() as stack:
                stack.push(server)
                if server.became_ready():
                    clients.to(server.url)
                    read_until_dead(server, clients)
                else:
                    died_at_start += 1
                _, err = server.process.communicate(timeout=DEADLINE)
                assert server.process.returncode == -9, err
        assert died_at_start >= min(ROUNDS, 2)
        with Server(tmp_path) as server:
            clients.to(server.url)
            clients.wait_for(clients.total)
            check(tmp_path, server, spans)


def read_until_dead(server: Server, clients: Traffic) -> None:
    """Read all the time, which makes the server commit often; kill it if it has nothing left to commit."""
    while server.process.poll() is None:
        done = clients.acknowledged == clients.total
        try:
            server.get("/v1/keys")
        except (OSError, ValueError, http.client.HTTPException):
            server.process.wait(DEADLINE)
        if done:
            server.process.kill()
