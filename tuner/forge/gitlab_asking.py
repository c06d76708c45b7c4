"""Requests to GitLab: rate limits are waited for, and a refusal is told in a line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from tuner.errors import ForgeError, ForgeReadOnlyError
from tuner.forge.protocol import OTHER_SHAPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitlab.exceptions import GitlabError
    from requests import Response

    from tuner.forge.patience import Patience
    from tuner.forge.protocol import Target

T = TypeVar("T")

# https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/: limits count by the
# minute; a Retry-After comes with most refusals.
_WAIT_S: Final = 60.0
_SHOWN: Final = 200
_NO_API: Final = "what answers is not GitLab's API: check --api-url (it ends in /api/v4)"


@dataclass(slots=True)
class Asking:
    """Sends requests, waits for rate limits, and says what went wrong."""

    target: Target
    patience: Patience
    _retry_after: str = field(default="", init=False)

    def note_headers(self, response: Response, *_: object, **__: object) -> None:
        """Keep what python-gitlab's errors do not tell."""
        self._retry_after = response.headers.get("Retry-After", "")

    def ask(self, send: Callable[[], T], *, changes: bool = False) -> T:
        """Return what `send` returns; a request that was refused for its rate is sent again."""
        from gitlab.exceptions import (  # noqa: PLC0415 - heavy, and an extra
            GitlabError,
            GitlabParsingError,
        )

        while True:
            try:
                return send()
            except GitlabParsingError as error:
                raise ForgeError(_NO_API) from error
            except GitlabError as error:
                if error.response_code != 429:
                    raise _told(error, self._message(error), changes=changes) from error
                wait_s = float(self._retry_after) if self._retry_after.isdigit() else _WAIT_S
                self.patience.wait(wait_s, forge="GitLab", status=429)
            except OSError as error:  # of requests: its errors are OSErrors
                raise ForgeError(
                    f"GitLab does not answer ({type(error).__name__}): check the network and "
                    "--api-url"
                ) from error
            except OTHER_SHAPE as error:
                raise ForgeError(_NO_API) from error

    def _message(self, error: GitlabError) -> str:
        return self.target.without_token(str(error.error_message))[:_SHOWN]


def _told(error: GitlabError, message: str, *, changes: bool) -> ForgeError:
    status = error.response_code
    said = f"GitLab said {status} ({message or 'without a reason'})"
    if status == 401:
        return ForgeError(
            f"{said}: the token is wrong, has expired or is a job's own, which may not comment",
            status=401,
        )
    if changes and status in {403, 404}:
        return ForgeReadOnlyError(
            f"the token may not comment: {said}; it needs the scope api and the role Reporter",
            status=status,
        )
    if status == 404:
        return ForgeError(
            f"{said}: check --repository and --number, and that the token may read them",
            status=404,
        )
    return ForgeError(said, status=status)
