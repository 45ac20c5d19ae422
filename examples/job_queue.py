"""Handing a session to a job queue such as Celery: `python -m examples.job_queue`.

The producer puts `Session.to_dict()` into the headers of the job; the worker, another process, checks it again with
`Session.from_dict` and puts it in force.
"""

from __future__ import annotations

import json
import multiprocessing
from typing import Any

from examples.printing import printing_provider

from otel_sessions import Session, current_session, propagate_sessions


@propagate_sessions(lambda job: Session.from_dict(job["headers"]["session"]))
def work(job: dict[str, Any]) -> None:
    """Do a job: its spans come from the worker's provider and carry the session of the producer."""
    with printing_provider().get_tracer("examples.worker").start_as_current_span(f"job {job['id']}"):
        pass


def worker(message: str) -> None:
    """Run as a worker process that takes one message."""
    work(json.loads(message))


def main() -> None:
    """Enqueue a job inside a session and let a worker process do it."""
    with propagate_sessions("import-7", user_id="user-a", tags=["nightly"], attempt=2):
        message = json.dumps({"id": 1, "headers": {"session": current_session().to_dict()}})
    process = multiprocessing.get_context("spawn").Process(target=worker, args=(message,))
    process.start()
    process.join()


if __name__ == "__main__":
    main()
