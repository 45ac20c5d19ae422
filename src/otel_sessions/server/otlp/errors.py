"""The reasons why a whole request is refused, with their status over HTTP and over gRPC."""

from __future__ import annotations

from typing import ClassVar, Final

INVALID_ARGUMENT: Final = 3
DEADLINE_EXCEEDED: Final = 4
PERMISSION_DENIED: Final = 7
RESOURCE_EXHAUSTED: Final = 8
UNIMPLEMENTED: Final = 12
UNAVAILABLE: Final = 14
UNAUTHENTICATED: Final = 16
"""gRPC status codes as numbers, so that decoding does not need grpcio."""


class RequestError(Exception):
    """A request that is not taken; its text is the message for the client.

    Attributes:
        http_status: the HTTP status.
        grpc_status: the number of the gRPC status, also the `code` of a `google.rpc.Status`.
        retry_after: seconds after which the same request may be sent again, `None` if it must not be.
    """

    http_status: ClassVar[int] = 400
    grpc_status: ClassVar[int] = INVALID_ARGUMENT
    retry_after: float | None = None


class MalformedError(RequestError):
    """The body is not in the format that it claims: broken protobuf, JSON of another shape, compression that ends early."""


class NestedTooDeepError(MalformedError):
    """A value holds values that hold values, in more levels than are read."""


class TooLargeError(RequestError):
    """The request is over a limit; without a delay for a retry, so that a client does not send it again."""

    http_status = 413
    grpc_status = RESOURCE_EXHAUSTED


class UnsupportedEncodingError(RequestError):
    """The body is compressed in a way that the server does not read."""

    http_status = 415
    grpc_status = UNIMPLEMENTED


class UnsupportedContentTypeError(RequestError):
    """The body is neither protobuf nor JSON."""

    http_status = 415


class BusyError(RequestError):
    """The server has no memory for the request now; it may be sent again after `retry_after` seconds."""

    http_status = 429
    grpc_status = RESOURCE_EXHAUSTED

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(RequestError):
    """The request cannot be kept now, because the disk is full or the server is shutting down."""

    http_status = 503
    grpc_status = UNAVAILABLE

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnauthenticatedError(RequestError):
    """The API key is missing or wrong."""

    http_status = 401
    grpc_status = UNAUTHENTICATED
