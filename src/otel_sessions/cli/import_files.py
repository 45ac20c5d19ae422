"""`otel-sessions import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from otel_sessions.cli.errors import FAILED, INTERRUPTED, WRONG_USAGE, CommandError, ending, say
from otel_sessions.cli.server_options import FolderOption, UrlOption, asking

if TYPE_CHECKING:
    from otel_sessions.cli.client import Client

STDIN: Final = "-"
MOST_SHOWN: Final = 20
"""How many parts of files that are left out are told one by one."""


class Stopped(Exception):  # noqa: N818 - no error of its own
    """Something was left out, and nothing more is to be read."""


class Tally:
    """What was imported, and what was left out.

    Attributes:
        records: by signal, how many records the server took.
        left_out: how many parts of files were left out.
        metrics: how many messages held metrics.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self.records: dict[str, int] = {}
        self.left_out = 0
        self.metrics = 0

    def leave_out(self, file: str, place: str, why: str) -> None:
        """Tell of a part that is left out.

        Raises:
            Stopped: nothing may be left out.
        """
        self.left_out += 1
        if self.left_out <= MOST_SHOWN:
            say(f"{file}: {place}: {why}")
        if self._strict:
            raise Stopped

    def count(self, sent: dict[str, int]) -> None:
        """Add what a server took."""
        for signal, number in sent.items():
            self.records[signal] = self.records.get(signal, 0) + number

    @property
    def summary(self) -> str:
        """What was done, for people."""
        text = f"imported {_number(self.records.get('traces', 0), 'span')} and {_number(self.records.get('logs', 0), 'log record')}"
        if given := self.records.get("given"):
            text += f", and {_number(given, 'score, annotation or name', 'scores, annotations and names')}"
        if self.metrics:
            text += "; metrics are not kept"
        if self.left_out:
            text += f"; {self.left_out:,} {'part was' if self.left_out == 1 else 'parts were'} left out"
        return text


def _number(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def import_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="The files; - for standard input.")],
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first line that cannot be taken.")] = False,
) -> None:
    """Bring files of spans and log records into a store.

    A file holds OTLP as JSON, one request a line or one document, or as protobuf, such as the file exporter of the Collector writes
    it; or what `export` wrote with --format otlp or jsonl. It may be compressed by gzip or zstd. What is stored already is left out: a file can be
    imported again, and an import that was cut short goes on when it is run again.
    """
    with ending():
        for name in files:
            if name != STDIN and not Path(name).is_file():
                raise CommandError(f"there is no file {name}", status=WRONG_USAGE)
        tally = Tally(strict=strict)
        try:
            with asking(url, store) as client:
                for name in files:
                    _import(client, name, tally, strict=strict)
        except Stopped:
            pass
        except KeyboardInterrupt:
            raise CommandError(
                f"{tally.summary}; interrupted, run the same command again to go on", status=INTERRUPTED
            ) from None
        except CommandError as error:
            raise CommandError(
                f"{error}; {tally.summary}; run the same command again to go on", status=error.status
            ) from None
        say(tally.summary)
        if tally.left_out:
            raise typer.Exit(FAILED)


def _import(client: Client, name: str, tally: Tally, *, strict: bool) -> None:
    from otel_sessions.cli.files.compressed import opened  # noqa: PLC0415 - slow to import
    from otel_sessions.cli.files.messages import UnreadableError, messages_in  # noqa: PLC0415
    from otel_sessions.cli.files.progress import progress  # noqa: PLC0415
    from otel_sessions.cli.files.records import NotOtlpError, contents_in  # noqa: PLC0415
    from otel_sessions.cli.files.sending import Sender  # noqa: PLC0415

    shown = "standard input" if name == STDIN else name
    refused: list[tuple[str, str]] = []
    sender = Sender(client, lambda place, why: refused.append((place, why)))
    records = 0

    def tell() -> None:
        while refused:
            place, why = refused.pop(0)
            tally.leave_out(shown, f"up to {place}", why)

    try:
        with opened(name) as file, progress(shown, file.size) as update:
            try:
                for message, contents in contents_in(messages_in(file.stream)):
                    if isinstance(contents, NotOtlpError):
                        if strict:
                            sender.finish()
                        tally.leave_out(shown, message.place, f"not OTLP, left out: {contents}")
                        continue
                    for record in contents.records:
                        sender.add(record, message.place)
                    records += len(contents.records)
                    tally.metrics += contents.metrics
                    if contents.left_out:
                        if strict:
                            sender.finish()
                        tally.leave_out(shown, message.place, contents.left_out)
                    tell()
                    update(completed=file.position, records=records)
            except UnreadableError as error:
                sender.finish()
                tally.leave_out(shown, *str(error).split(": ", 1))
            sender.finish()
            tell()
    except OSError as error:
        raise CommandError(f"{shown} cannot be read: {error.strerror or error}") from None
    finally:
        sender.close()
        tally.count(sender.sent)
