"""What is read of a resource: the service and the deployment environment of its spans and log records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SERVICE_NAME: Final = "service.name"
ENVIRONMENT: Final = "deployment.environment.name"
OLDER_ENVIRONMENT: Final = "deployment.environment"
"""The name before semantic conventions 1.27: https://opentelemetry.io/docs/specs/semconv/registry/attributes/deployment/"""

NAMES: Final = (SERVICE_NAME, ENVIRONMENT, OLDER_ENVIRONMENT)
"""Every attribute that `service_and_environment` looks at."""


def service_and_environment(attributes: Mapping[str, object]) -> tuple[str | None, str | None]:
    """The service and the environment that a resource names; a value that is not a string is as good as absent.

    The older name of the environment counts only if the newer one is absent.
    """
    service = attributes.get(SERVICE_NAME)
    environment = attributes.get(ENVIRONMENT, attributes.get(OLDER_ENVIRONMENT))
    return service if isinstance(service, str) else None, environment if isinstance(environment, str) else None
