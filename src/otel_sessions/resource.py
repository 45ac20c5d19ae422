"""What is read of a resource: the service, the deployment environment and the session of its spans and log records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

SERVICE_NAME: Final = "service.name"
ENVIRONMENT: Final = "deployment.environment.name"
OLDER_ENVIRONMENT: Final = "deployment.environment"
"""The name before semantic conventions 1.27: https://opentelemetry.io/docs/specs/semconv/registry/attributes/deployment/"""

SESSION_ID: Final = "session.id"
"""On a resource it holds for all spans of a process that name no session, such as those of a browser tab."""

NAMES: Final = (SERVICE_NAME, ENVIRONMENT, OLDER_ENVIRONMENT, SESSION_ID)
"""Every attribute that `read_resource` looks at."""


class ResourceFacts(NamedTuple):
    """What a resource says of its spans; `None` for what it does not say, or says with a value that is not a string."""

    service: str | None
    environment: str | None
    session_id: str | None


def read_resource(attributes: Mapping[str, object]) -> ResourceFacts:
    """The service, the environment and the session that a resource names.

    The older name of the environment counts only if the newer one is absent.
    """
    service = attributes.get(SERVICE_NAME)
    environment = attributes.get(ENVIRONMENT, attributes.get(OLDER_ENVIRONMENT))
    session_id = attributes.get(SESSION_ID)
    return ResourceFacts(
        service if isinstance(service, str) else None,
        environment if isinstance(environment, str) else None,
        session_id if isinstance(session_id, str) else None,
    )
