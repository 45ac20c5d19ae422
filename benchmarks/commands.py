"""`python -m benchmarks.commands`: how long commands take, with the interpreter.

`help` prints the help of all commands, and `list` asks a running server for a page. The interpreter alone,
and with the exporter imported, are beside them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from benchmarks.tables import Row, Table
from examples.server_process import ServerProcess

PROGRAM = (sys.executable, "-m", "otel_sessions")


def milliseconds(rounds: int, command: Sequence[str]) -> tuple[float, float]:
    """The medians of some runs in ms: by the clock, and of CPU, which other programs of the machine change less."""
    clock, cpu = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        now = getrusage(RUSAGE_CHILDREN)
        clock.append((time.perf_counter() - began) * 1_000)
        cpu.append((now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime) * 1_000)
    return median(clock), median(cpu)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commands", description="How long commands take.")
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds

    with ServerProcess() as server:
        commands = {
            "interpreter": (sys.executable, "-c", ""),
            "import otel_sessions": (sys.executable, "-c", "from otel_sessions import SessionExporter"),
            "help": (*PROGRAM, "--help"),
            "list": (*PROGRAM, "list", "--url", server.url),
        }
        found = {name: milliseconds(rounds, command) for name, command in commands.items()}
    targets = {"help": "< 250 ms", "list": "< 400 ms"}
    rows = [Row(name, (f"{clock:.0f}", f"{cpu:.0f}"), targets.get(name, "")) for name, (clock, cpu) in found.items()]
    print(Table("commands (ms)", ("clock", "CPU"), rows))


if __name__ == "__main__":
    main()
