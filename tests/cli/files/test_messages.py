"""The messages of files in every form, and of files that are cut, damaged, or something else."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from backports import zstd
from tests.server.otlp.building import as_json, traces

from otel_sessions.cli.files import messages
from otel_sessions.cli.files.compressed import opened
from otel_sessions.cli.files.messages import UnreadableError, messages_in

REQUEST = traces({"name": "one"})
LINE = as_json(REQUEST)
RAW = REQUEST.SerializeToString()
FRAME = len(RAW).to_bytes(4) + RAW


def read(content: bytes, folder: Path) -> tuple[list[tuple[bytes, bool, str]], str]:
    """The messages in a file of this content, and why it ends early; empty if it does not."""
    path = folder / "file"
    path.write_bytes(content)
    found: list[tuple[bytes, bool, str]] = []
    with opened(str(path)) as file:
        assert file.size == len(content)
        try:
            found += (
                (one.raw.strip() if one.is_json else one.raw, one.is_json, one.place)
                for one in messages_in(file.stream)
            )
        except UnreadableError as error:
            return found, str(error)
        assert file.position == len(content)
    return found, ""


LINES = [(LINE, True, "line 1"), (LINE, True, "line 3")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n \n", []),
        (LINE + b"\n\n" + LINE + b"\n", LINES),
        (LINE + b"\r\n\r\n" + LINE, LINES),
        (b"\xef\xbb\xbf" + LINE + b"\n\n" + LINE, [(b"\xef\xbb\xbf" + LINE, True, "line 1"), LINES[1]]),
        (
            json.dumps(json.loads(LINE), indent=2).encode(),
            [(json.dumps(json.loads(LINE), indent=2).encode(), True, "line 1")],
        ),
        (RAW, [(RAW, False, "byte 0")]),
        (FRAME + FRAME, [(RAW, False, "byte 0"), (RAW, False, f"byte {len(FRAME)}")]),
        (len(LINE).to_bytes(4) + LINE, [(LINE, True, "byte 0")]),
        ((packed := zstd.compress(RAW)) and len(packed).to_bytes(4) + packed, [(RAW, False, "byte 0")]),
        (b"no json\n" + LINE + b"\n", None),
        (b'{"no": json}\n' + LINE + b"\n", [(b'{"no": json}', True, "line 1"), (LINE, True, "line 2")]),
    ],
    ids=[
        *(
            "empty",
            "blank",
            "lines",
            "windows",
            "mark",
            "document",
            "protobuf",
            "lengths",
            "json lengths",
            "packed",
            "text",
        ),
        "broken line",
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress], ids=["plain", "gzip", "zstd"])
def test_forms_of_files(
    content: bytes, expected: list[tuple[bytes, bool, str]] | None, pack: object, tmp_path: Path
) -> None:
    """The form of a file is found by its beginning, compressed or not."""
    assert callable(pack)
    found, why = read(pack(content) if content else content, tmp_path)
    if expected is None:
        assert (found, why) == ([], "byte 0: not a file of OTLP")
    else:
        assert (found, why) == (expected, "")


@pytest.mark.parametrize(
    ("content", "kept", "why"),
    [
        (LINE + b"\n" + LINE[:50], 1, f"line 2 (byte {len(LINE) + 1}): cut off"),
        (LINE[:50], 0, "line 1 (byte 50): cut off"),
        (json.dumps(json.loads(LINE), indent=2).encode()[:-20], 0, "cut off, the document that begins in line 1"),
        (b"{broken\n" + LINE + b"\n" + LINE[:9], 2, f"line 3 (byte {len(LINE) + 9}): cut off"),
        (FRAME + FRAME[:-1], 1, f"byte {len(FRAME)}: cut off, {len(RAW) - 1} of {len(RAW)} bytes"),
        (FRAME + b"\0\0", 1, f"byte {len(FRAME)}: cut off"),
        (FRAME + b"\xff\xff\xff\xff", 1, f"byte {len(FRAME)}: a message of 4294967295 bytes"),
        (gzip.compress((LINE + b"\n") * 2)[:-12], 1, "after line 1: the file is cut or damaged"),
        (gzip.compress(LINE)[:12], 0, "after its beginning: the file is cut or damaged"),
        (zstd.compress(FRAME * 2)[:-3], 0, "cut or damaged"),
        ((4).to_bytes(4) + zstd.compress(RAW)[:4], 0, "cut or damaged"),
    ],
    ids=[
        *("line", "first line", "document", "after a bad line", "message", "size", "large size"),
        *("gzip", "short gzip", "zstd", "message of zstd"),
    ],
)
def test_files_that_are_cut(content: bytes, kept: int, why: str, tmp_path: Path) -> None:
    """What comes before the end is read, and the message names the line or the byte."""
    found, said = read(content, tmp_path)
    assert len(found) == kept
    assert why in said


def test_messages_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line, a document and a message that are too long are refused with the next step."""
    monkeypatch.setattr(messages, "LONGEST", 1_000)
    for content, why in (
        (b'{"a":"' + b"x" * 1_000 + b'"}\n', "line 1 (byte 0): longer than 1000 bytes; split it"),
        (b'{\n"a":"' + b"x" * 1_000 + b'"}\n', "line 1 (byte 0): a document longer than 1000 bytes"),
        (b"\x0a" + b"\x01" * 1_000, "byte 0: a message longer than 1000 bytes"),
    ):
        found, said = read(content, tmp_path)
        assert found == []
        assert why in said


def test_a_stream_without_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input is read without knowing its size."""

    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(LINE))

    monkeypatch.setattr("sys.stdin", Stdin)
    with opened("-") as file:
        assert (file.size, file.position) == (None, None)
        assert [one.place for one in messages_in(file.stream)] == ["line 1"]


def test_blank_lines_behind_a_first_line_that_is_cut(tmp_path: Path) -> None:
    """A first line that is no JSON does not hide the lines behind it, and blank ones among them are no messages."""
    found, why = read(b'{"cut": \n\n' + LINE + b"\n", tmp_path)
    assert [(raw.strip(), place) for raw, _, place in found] == [(b'{"cut":', "line 1"), (LINE, "line 3")]
    assert why == ""
