"""`python -m benchmarks`: the cost of sessions in time and memory, each figure with its target beside it.

It prints figures and never fails for one, since machines and their other tasks differ. Compare ratios, on one machine.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from benchmarks import exporter, memory, scopes, stamping
from benchmarks.tables import Table


def main() -> None:
    """Measure the figures that the command line names, by default all."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="The cost of sessions in time and memory."
    )
    parser.add_argument(
        "figures", nargs="*", metavar="figure", help="stamping, scopes, exporter or memory; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="a few rounds only: shows that it runs, not what it costs")
    parser.add_argument("--long", action="store_true", help="memory under ten million spans, which takes minutes")
    options = parser.parse_args()
    measures: dict[str, Callable[..., Table]] = {
        "stamping": stamping.measure,
        "scopes": scopes.measure,
        "exporter": exporter.measure,
        "memory": partial(memory.measure, long=options.long),
    }
    unknown = [name for name in options.figures if name not in measures]
    if unknown:
        parser.error(f"unknown figure {unknown[0]!r}; choose from {', '.join(measures)}")
    sdk = version("opentelemetry-sdk")
    print(f"Python {platform.python_version()}, opentelemetry-sdk {sdk}, {sys.platform} {platform.machine()}")
    for name, measure in measures.items():
        if not options.figures or name in options.figures:
            print(f"\n{measure(quick=options.quick)}", flush=True)


if __name__ == "__main__":
    main()
