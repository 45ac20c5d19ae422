"""Threads and executors: a bare thread starts without the caller's session, `bind_session` adds it.

`python -m examples.threads`. With `opentelemetry-instrumentation-threading` installed and active, or with
`asyncio.to_thread`, `bind_session` is not needed.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from examples.printing import printing_provider

from otel_sessions import bind_session, propagate_sessions

tracer = printing_provider().get_tracer("examples.threads")


def work(name: str) -> None:
    """Make one span."""
    with tracer.start_as_current_span(name):
        pass


def main() -> None:
    """Do the same work in bare and in bound threads."""
    with propagate_sessions("import-7", user_id="user-a"):
        thread = threading.Thread(target=work, args=("bare thread",))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(bind_session(work), "bound in a pool").result()
        thread = threading.Thread(target=bind_session(work), args=("bound thread",))
        thread.start()
        thread.join()


if __name__ == "__main__":
    main()
