"""Requests to GitHub: rate limits are waited for, and a refusal is told in a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from tuner.errors import ForgeError, ForgeReadOnlyError
from tuner.forge.protocol import OTHER_SHAPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import GithubException

    from tuner.forge.patience import Patience
    from tuner.forge.protocol import Target

T = TypeVar("T")

# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: without a
# Retry-After, wait at least a minute.
_WAIT_S: Final = 60.0
_SHOWN: Final = 200
_NO_API: Final = (
    "what answers is not GitHub's API: check --api-url (GitHub Enterprise Server's ends in /api/v3)"
)


@dataclass(slots=True)
class Asking:
    """Sends requests, waits for rate limits, and says what went wrong."""

    target: Target
    patience: Patience
    now_s: Callable[[], float]
    """Seconds since 1970."""

    def ask(self, send: Callable[[], T], *, changes: bool = False) -> T:
        """Return what `send` returns; a request that was refused for its rate is sent again."""
        from github import (  # noqa: PLC0415 - heavy, and an extra
            BadAttributeException,
            GithubException,
            IncompletableObject,
        )

        while True:
            try:
                return send()
            except (BadAttributeException, IncompletableObject) as error:
                raise ForgeError(_NO_API) from error
            except GithubException as error:
                wait_s = _wait_s(error, self.now_s())
                if wait_s is None:
                    raise _told(error, self._message(error), changes=changes) from error
                self.patience.wait(wait_s, forge="GitHub", status=error.status)
            except OSError as error:  # of requests, most of whose errors are OSErrors
                raise ForgeError(
                    f"GitHub does not answer ({type(error).__name__}): check the network and "
                    "--api-url"
                ) from error
            except OTHER_SHAPE as error:
                raise ForgeError(_NO_API) from error

    def _message(self, error: GithubException) -> str:
        return self.target.without_token(_message(error))[:_SHOWN]


def _wait_s(error: GithubException, now_s: float) -> float | None:
    """Seconds until a request may be sent again; None where it is no matter of its rate."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status not in {403, 429}:
        return None
    if (after := headers.get("retry-after", "")).isdigit():
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0":
        reset = headers.get("x-ratelimit-reset", "")
        return max(float(reset) - now_s, 0.0) + 1 if reset.isdigit() else _WAIT_S
    return _WAIT_S if error.status == 429 or "rate limit" in _message(error).lower() else None


def _told(error: GithubException, message: str, *, changes: bool) -> ForgeError:
    said = f"GitHub said {error.status} ({message or 'without a reason'})"
    if error.status == 401:
        return ForgeError(f"{said}: the token is wrong or has expired", status=401)
    if changes and error.status in {403, 404}:
        return ForgeReadOnlyError(
            f"the token may not comment: {said}; it needs the permission pull-requests: write",
            status=error.status,
        )
    if error.status == 404:
        return ForgeError(
            f"{said}: check --repository and --number, and that the token may read them",
            status=404,
        )
    return ForgeError(said, status=error.status)


def _message(error: GithubException) -> str:
    data = error.data
    return str(data.get("message") or "") if isinstance(data, dict) else ""
