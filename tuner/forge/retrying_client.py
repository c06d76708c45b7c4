"""Requests to a forge: waits for rate limits, and turns a refusal into one line.

Redirects are never followed. The token would go along, PyGithub drops the page number, and reading
the wrong list would lead to a second comment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, TypeVar

from tuner.errors import ForgeError, ForgeReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.forge.protocol import Target

T = TypeVar("T")

MAX_WAIT_S: Final = 120.0
"""How long one run waits for rate limits in total."""
WAIT_S: Final = 60.0
"""If a forge gives no time: GitHub asks for at least a minute, GitLab's limits are per minute.

docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api,
docs.gitlab.com/administration/settings/user_and_ip_rate_limits/"""
_LEAST_WAIT_S: Final = 1.0
"""A forge may ask for 0 s: without a minimum wait, requests would go on forever."""
_OTHER_SHAPE: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What the forges' libraries raise for an answer that isn't from their API: a login page,
a proxy."""
_SHOWN: Final = 200


class Refusal(NamedTuple):
    """What a forge answered; `wait_s` is None if it isn't about the request rate."""

    status: int | None
    message: str
    wait_s: float | None


@dataclass(slots=True)
class RetryingClient:
    """Sends requests, waits for rate limits up to a bound, and says what went wrong."""

    target: Target
    sleep: Callable[[float], None]
    _waited_s: float = field(default=0.0, init=False)

    forge: ClassVar[str]
    library: ClassVar[str]
    """The forge's library, whose other errors mean that the answer isn't from the API."""
    api_hint: ClassVar[str]
    wrong_token: ClassVar[str]
    needed_rights: ClassVar[str]

    def refusal(self, error: Exception) -> Refusal | None:
        """The forge's refusal in a library's error; None if it isn't one."""
        raise NotImplementedError

    def ask(self, send: Callable[[], T], *, changes: bool = False) -> T:
        """Return what `send` returns; a request refused for its rate is sent again.

        Raises ForgeError, and ForgeReadOnlyError if the token may not change anything. The
        library's error isn't the cause: it may quote the token, and a traceback would show it.
        """
        while True:
            try:
                return send()
            except Exception as error:
                refusal = self.refusal(error)
                if refusal is None:
                    if (unanswered := self._unanswered(error)) is None:
                        raise
                    raise unanswered from None
                if refusal.wait_s is None:
                    raise self._refused(refusal, changes=changes) from None
                self._wait(refusal.wait_s, refusal.status)

    def _wait(self, wait_s: float, status: int | None) -> None:
        """Sleep. Raises ForgeError, at once, if the total would exceed the bound."""
        wait_s = max(wait_s, _LEAST_WAIT_S)
        if self._waited_s + wait_s > MAX_WAIT_S:
            raise ForgeError(
                f"{self.forge} asks to wait for {wait_s:.0f} s (rate limit), longer than "
                f"{MAX_WAIT_S:.0f} s in all: run it again later",
                status=status,
            )
        self._waited_s += wait_s
        self.sleep(wait_s)

    def _unanswered(self, error: Exception) -> ForgeError | None:
        if isinstance(error, OSError) and _is_redirect(error):
            return ForgeError(
                f"{self.forge} redirected the request, and redirects aren't followed: check "
                f"`api_url` ({self.api_hint}), and that `repository` has its present name"
            )
        if isinstance(error, OSError):  # from requests, most of whose errors are OSErrors
            return ForgeError(
                f"{self.forge} does not answer ({type(error).__name__}): check the network and "
                "`api_url`"
            )
        if isinstance(error, _OTHER_SHAPE) or type(error).__module__.startswith(self.library):
            return ForgeError(
                f"what answers is not {self.forge}'s API: check `api_url` ({self.api_hint})"
            )
        return None

    def _refused(self, refusal: Refusal, *, changes: bool) -> ForgeError:
        status = refusal.status
        message = self.target.without_token(refusal.message)[:_SHOWN]
        said = f"{self.forge} said {status} ({message or 'without a reason'})"
        if status == 401:
            return ForgeError(f"{said}: {self.wrong_token}", status=status)
        if changes and status in {403, 404}:
            return ForgeReadOnlyError(
                f"the token may not comment: {said}; it needs {self.needed_rights}", status=status
            )
        if status == 404:
            said += ": check `repository` and `number`, and that the token may read them"
        return ForgeError(said, status=status)


def _is_redirect(error: OSError) -> bool:
    """Whether the libraries' sessions, which follow no redirect, got one."""
    from requests.exceptions import RetryError, TooManyRedirects  # noqa: PLC0415 - comes with both

    return isinstance(error, (RetryError, TooManyRedirects))
