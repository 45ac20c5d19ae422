"""`python -m benchmarks.commands`: how long commands take, with the interpreter.

`help` prints the help of all commands, and `list` asks a running server for a page. The interpreter alone,
and with the exporter imported, are beside them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from examples.server_process import ServerProcess

PROGRAM = (sys.executable, "-m", "otel_sessions")


def milliseconds(rounds: int, command: Callable[[], object]) -> float:
    """The median of some runs, in ms."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        command()
        taken.append((time.perf_counter() - began) * 1_000)
    return median(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commands", description="How long commands take.")
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds

    def run(*command: str) -> Callable[[], object]:
        return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    with ServerProcess() as server:
        commands = {
            "interpreter": (sys.executable, "-c", ""),
            "import otel_sessions": (sys.executable, "-c", "from otel_sessions import SessionExporter"),
            "help": (*PROGRAM, "--help"),
            "list": (*PROGRAM, "list", "--url", server.url),
        }
        found = {name: milliseconds(rounds, run(*command)) for name, command in commands.items()}
    for name, taken in found.items():
        print(f"{name:<22}{taken:6.0f} ms{ {'help': '  < 250 ms', 'list': '  < 400 ms'}.get(name, '') }")


if __name__ == "__main__":
    main()
