"""Credentials that expire in the middle of a sweep are renewed, or waited for.

Roles and SSO sessions refresh themselves through botocore, as long as their own source lasts. When
that ends (an SSO session, keys in a shared file), the call that noticed looks for new ones, reports
that it's waiting, and is sent again with them. A refused request ran nothing, so this is safe for
every call, even an invocation.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore import exceptions as boto
from botocore.credentials import RefreshableCredentials

from tuner.aws.service_errors import EXPIRED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.aws.credentials_wait import CredentialsWait
    from tuner.aws.session import Session

LOOK_EVERY_S: Final = 3.0
MOST_IN_VAIN: Final = 3
"""How many new credentials in a row AWS may call expired before this machine's clock is
to blame."""
_SIGNED: Final = "tuner_credentials"
"""In a request's context: which credentials signed it, counted from 0."""
_UNUSABLE: Final = (boto.SSOError, boto.TokenRetrievalError, boto.CredentialRetrievalError)


class Renewal:
    """Shared by all clients of a session; one thread looks, the others wait for it."""

    def __init__(self, session: Session, credentials_wait: CredentialsWait) -> None:
        self._session = session
        self._wait = credentials_wait
        self._lock = threading.Lock()
        self._generation = 0
        self._in_vain = 0
        self._is_given_up = False

    def attach(self, client: Any) -> None:
        """Have a client's requests use renewed credentials."""
        client.meta.events.register("before-sign", self._before_sign)
        client.meta.events.register("needs-retry", self._after_reply)

    def _before_sign(self, request: Any, **_: Any) -> None:
        """Wait for a source that can't be refreshed any more; botocore reports it afterwards."""
        if not self._is_usable():
            self._renew(self._generation, self._is_usable)
        request.context[_SIGNED] = self._generation

    def _after_reply(self, response: Any, request_dict: Any, **_: Any) -> float | None:
        """Return 0 to repeat a request that was refused for expired credentials."""
        parsed = response[1] if response is not None else {}
        signed = request_dict["context"].get(_SIGNED, 0)
        if parsed.get("Error", {}).get("Code") not in EXPIRED:
            if response is not None and signed == self._generation:
                self._in_vain = 0
            return None
        return 0.0 if self._renew(signed, self._has_new) else None

    def _renew(self, generation: int, is_there: Callable[[], bool]) -> bool:
        with self._lock:
            if self._generation != generation:
                return True  # another thread has done it
            self._is_given_up |= self._in_vain >= MOST_IN_VAIN or not self._wait_for(is_there)
            if self._is_given_up:
                return False
            self._generation += 1
            self._in_vain += 1
            return True

    def _wait_for(self, is_there: Callable[[], bool]) -> bool:
        if is_there():
            return True
        if self._wait.wait_s <= 0 or self._credentials.method == "env":
            return False  # nobody can change this process's environment
        self._wait.tell(self._wait.wait_s)
        deadline_s = time.monotonic() + self._wait.wait_s
        while time.monotonic() < deadline_s and not self._wait.is_over():
            time.sleep(LOOK_EVERY_S)
            if is_there():
                return True
        return False

    @property
    def _credentials(self) -> Any:
        return self._session.boto.get_credentials()

    def _is_usable(self) -> bool:
        try:
            credentials = self._credentials
            if credentials is not None:
                credentials.get_frozen_credentials()
        except _UNUSABLE:
            return False
        return True

    def _has_new(self) -> bool:
        """Read the credentials again from their source, and use them if they have changed."""
        current = self._credentials
        if current is None:
            return False
        try:
            profile = self._session.profile
            found: Any = botocore.session.Session(profile=profile).get_credentials()
            new = None if found is None else found.get_frozen_credentials()
            if new is None or new == current.get_frozen_credentials():
                return False
        except boto.BotoCoreError:
            return False
        current.access_key, current.secret_key = new.access_key, new.secret_key
        current.token = new.token
        has_a_frozen_copy = isinstance(current, RefreshableCredentials)
        if has_a_frozen_copy:
            # It is what they sign with, and botocore has no public way to replace it.
            current._frozen_credentials = new  # noqa: SLF001 - as said
        return True
