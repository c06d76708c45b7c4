"""An AWS error on its way into a reply: status, code, message, in AWS's shape."""

from __future__ import annotations

import json
from typing import Final

# Codes whose modelled member is spelled "Message"; the other exceptions say "message".
_CAPITAL_MESSAGE: Final = frozenset(
    {
        "RecursiveInvocationException",
        "RequestEntityTooLargeException",
        "ResourceNotFoundException",
        "ServiceException",
    }
)


class ApiError(Exception):
    """Answered instead of a result. `type_` is "User" or "Service" (None: left out)."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        type_: str | None = "User",
        reason: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.type_ = type_
        self.reason = reason
        self.headers = headers

    def body(self) -> bytes:
        """Return the reply's JSON."""
        key = "Message" if self.code in _CAPITAL_MESSAGE else "message"
        fields = {"Reason": self.reason, "Type": self.type_, key: str(self)}
        given = {name: each for name, each in fields.items() if each is not None}
        return json.dumps(given).encode()


def invalid(message: str, *, type_: str | None = "User") -> ApiError:
    """A parameter's value is understood but refused."""
    return ApiError(400, "InvalidParameterValueException", message, type_=type_)


def not_found(message: str) -> ApiError:
    """It doesn't exist."""
    return ApiError(404, "ResourceNotFoundException", message)


def no_such_resource() -> ApiError:
    """What is looked up doesn't exist, and isn't named."""
    return not_found("The resource you requested does not exist.")


def conflict(message: str) -> ApiError:
    """It already exists, is in use, or is being changed."""
    return ApiError(409, "ResourceConflictException", message)


def not_supported(what: str, instead: str) -> ApiError:
    """AWS has it and this endpoint doesn't: named, with what to do."""
    return invalid(f"{what} not supported by the local Lambda: {instead}")


def stale_revision(read_with: str = "GetFunction/GetAlias") -> ApiError:
    """The caller's RevisionId isn't the current one."""
    return ApiError(
        412,
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {read_with} API to retrieve the latest Revision Id",
    )


def too_large(message: str) -> ApiError:
    """The request is over a size limit."""
    return ApiError(413, "RequestEntityTooLargeException", message, type_=None)


def throttled(reason: str) -> ApiError:
    """The invocation was refused and ran nothing."""
    return ApiError(
        429,
        "TooManyRequestsException",
        "Rate Exceeded.",
        reason=reason,
        # AWS gives no time for the function's own limit.
        headers=() if reason.startswith("Reserved") else (("Retry-After", "1"),),
    )
