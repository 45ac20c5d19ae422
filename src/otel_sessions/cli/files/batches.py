"""`Batch`: records of a file, gathered to a request of a size that a server decodes quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_sessions.cli.files.copies import digest_of
from otel_sessions.cli.files.records import GIVEN, Record
from otel_sessions.server.otlp.messages import messages
from otel_sessions.server.signals import TRACES

RECORDS: Final = 4_096
BYTES: Final = 3 << 20
"""What a request has at most, and more only if one record is larger. Below 4 MiB a server decodes several at once."""

GIVEN_RECORDS: Final = 500
GIVEN_BYTES: Final = 192 << 10
"""The same of a request of what sessions were given."""


class Batch:
    """The records of one signal that go in one request.

    Attributes:
        signal: `TRACES`, `LOGS` or `GIVEN`.
        place: where the last message begins in the file that records of this come from.
    """

    def __init__(self, signal: str) -> None:
        self.signal = signal
        self.place = ""
        self._groups: dict[tuple[bytes, bytes], dict[tuple[bytes, bytes], list[bytes]]] = {}
        self._count = self._size = 0
        self._most, self._most_bytes = (GIVEN_RECORDS, GIVEN_BYTES) if signal == GIVEN else (RECORDS, BYTES)

    def __len__(self) -> int:
        """The number of records."""
        return self._count

    @property
    def is_full(self) -> bool:
        """True if it is to be sent."""
        return self._count >= self._most or self._size >= self._most_bytes

    def fits(self, record: Record) -> bool:
        """Return True if a record can be added without the request becoming too large."""
        return not self._count or self._size + len(record.raw) <= self._most_bytes

    def add(self, record: Record) -> None:
        """Add a record."""
        scopes = self._groups.setdefault(record.resource, {})
        records = scopes.get(record.scope)
        if records is None:
            records = scopes[record.scope] = []
            self._size += len(record.resource[0]) + len(record.scope[0])
        records.append(record.raw)
        self._count += 1
        self._size += len(record.raw)

    def records(self) -> Iterator[Record]:
        """The records, in the order of the request."""
        for resource, scopes in self._groups.items():
            for scope, records in scopes.items():
                for raw in records:
                    yield Record(self.signal, resource, scope, raw)

    def digests(self) -> Iterator[bytes]:
        """What identifies each record, in the order of the request."""
        return map(digest_of, self.records())

    def halves(self) -> Iterator[Batch]:
        """Two batches of about as many records each."""
        records = list(self.records())
        middle = (len(records) + 1) // 2
        for some in (records[:middle], records[middle:]):
            half = Batch(self.signal)
            half.place = self.place
            for record in some:
                half.add(record)
            yield half

    def request(self) -> bytes:
        """The serialized request."""
        if self.signal == GIVEN:
            return b'{"records":[' + b",".join(record.raw for record in self.records()) + b"]}"
        known = messages().traces if self.signal == TRACES else messages().logs
        request = known.request()
        for (resource, schema), scopes in self._groups.items():
            group = known.resource_group(resource=resource, schema_url=schema)
            for (scope, scope_schema), records in scopes.items():
                scope_group = known.scope_group(scope=scope, schema_url=scope_schema, **{known.records: records})
                getattr(group, known.scope_groups).append(scope_group.SerializeToString())
            getattr(request, known.resource_groups).append(group.SerializeToString())
        return bytes(request.SerializeToString())
