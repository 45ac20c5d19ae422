"""`messages_in`: the messages in a file of records, one after the other, each with its place.

A file has lines of JSON, one JSON document over many lines, messages behind their length in four bytes, or one protobuf message. Which
of these is found by what the file begins with.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Final, NamedTuple

from otel_sessions.cli.files.compressed import BROKEN, decompressed_message

LONGEST: Final = 256 << 20
"""Bytes of one message, which is held in memory."""

_SHOWN_AT_ONCE: Final = 4_096
_LENGTH: Final = 4
_SPACE: Final = b" \t\r\n\xef\xbb\xbf"


class Message(NamedTuple):
    """A message of a file.

    Attributes:
        raw: its bytes.
        is_json: whether they are JSON, else protobuf.
        place: where it is, for people: `line 7` or `byte 4096`.
    """

    raw: bytes
    is_json: bool
    place: str


class UnreadableError(Exception):
    """A part of a file cannot be read; the message says where and why.

    Attributes:
        ends: True if nothing behind it can be read.
    """

    def __init__(self, message: str, *, ends: bool = True) -> None:
        super().__init__(message)
        self.ends = ends


def messages_in(stream: io.BufferedReader) -> Iterator[Message]:
    """The messages of a file.

    Raises:
        UnreadableError: the file is cut or damaged; the messages before that were given.
    """
    place = "its beginning"
    try:
        beginning = stream.peek(_SHOWN_AT_ONCE)
        if not beginning:
            return
        if _is_json(beginning):
            read = _lines(stream)
        elif beginning[0] == 0x0A:
            read = _one_message(stream)
        else:
            read = _behind_lengths(stream)
        for message in read:
            place = message.place
            yield message
    except BROKEN as error:
        raise UnreadableError(
            f"after {place}: the file is cut or damaged, it cannot be decompressed ({error})"
        ) from None


def _is_json(beginning: bytes) -> bool:
    text = beginning.lstrip(_SPACE)
    if not text:
        return not beginning.strip(b" \t\r\n")
    # The tag of the first field of a protobuf message is a line feed too, but a message has bytes that no text has.
    return text[:1] in b"{[" and not any(byte < 32 and byte not in b"\t\r\n" for byte in beginning)


def _lines(stream: io.BufferedReader) -> Iterator[Message]:
    number = at = 0
    while line := stream.readline(LONGEST + 1):
        number += 1
        place = f"line {number}"
        if len(line) > LONGEST:
            raise UnreadableError(f"{place} (byte {at}): longer than {LONGEST} bytes; split it")
        if line.strip(_SPACE):
            if number == 1 and not _is_whole(line):
                yield from _document(stream, line)
                return
            is_last = not line.endswith(b"\n")
            if is_last and not _is_whole(line):
                raise UnreadableError(f"{place} (byte {at}): cut off; what came before it is kept")
            yield Message(line, is_json=True, place=place)
        at += len(line)


def _document(stream: io.BufferedReader, first: bytes) -> Iterator[Message]:
    """The one document that the first line begins; if it begins none, the lines one by one."""
    rest = stream.read(LONGEST + 1 - len(first))
    text = first + rest
    if _is_whole(text):
        yield Message(text, is_json=True, place="line 1")
        return
    if len(text) > LONGEST:
        raise UnreadableError(f"line 1 (byte 0): a document longer than {LONGEST} bytes; write one request a line")
    lines = text.splitlines(keepends=True)
    if len(lines) == 1 or not any(_is_whole(line) for line in lines[1:]):
        # A document that is cut; its last line says where.
        raise UnreadableError(
            f"line {len(lines)} (byte {len(text)}): cut off, the document that begins in line 1 has no end"
        )
    yield Message(lines[0], is_json=True, place="line 1")
    at = len(lines[0])
    for number, line in enumerate(lines[1:], 2):
        if line.strip(_SPACE):
            if not line.endswith(b"\n") and not _is_whole(line):
                raise UnreadableError(f"line {number} (byte {at}): cut off; what came before it is kept")
            yield Message(line, is_json=True, place=f"line {number}")
        at += len(line)


def _is_whole(text: bytes) -> bool:
    """Return True if a text is JSON, quickly for the usual lines: they are read again when they are understood."""
    text = text.strip(_SPACE)
    if text[-1:] not in b"}]":
        return False
    try:
        json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def _behind_lengths(stream: io.BufferedReader) -> Iterator[Message]:
    at = 0
    while head := stream.read(_LENGTH):
        place = f"byte {at}"
        size = int.from_bytes(head)
        if len(head) < _LENGTH:
            raise UnreadableError(f"{place}: cut off; what came before it is kept")
        if size > LONGEST:
            what = "not a file of OTLP" if not at else f"a message of {size} bytes, at most {LONGEST} are read"
            raise UnreadableError(f"{place}: {what}")
        raw = stream.read(size)
        if len(raw) < size:
            raise UnreadableError(
                f"{place}: cut off, {len(raw)} of {size} bytes are there; what came before it is kept"
            )
        message = decompressed_message(raw)
        yield Message(message, is_json=message[:1] == b"{", place=place)
        at += _LENGTH + size


def _one_message(stream: io.BufferedReader) -> Iterator[Message]:
    raw = stream.read(LONGEST + 1)
    if len(raw) > LONGEST:
        raise UnreadableError(
            f"byte 0: a message longer than {LONGEST} bytes; write smaller ones, each behind its length"
        )
    yield Message(raw, is_json=False, place="byte 0")
