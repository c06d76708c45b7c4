"""The functions of this endpoint, and Lambda's rules for changing them.

Thread-safe: one lock, held only while values are exchanged, never during an invocation or while a
package is unpacked. Nothing runs in the background: a change has the moment at which it's done, and
later readers see it done.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tuner.local.control_plane.api_error import conflict, invalid, not_found, stale_revision
from tuner.local.control_plane.function_state import Alias, Change, EventConfig, Function, Version
from tuner.local.control_plane.names import LATEST, Reference, is_alias, is_version
from tuner.local.control_plane.settings import make_deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tuner.local.control_plane.api_error import ApiError
    from tuner.local.control_plane.names import AccountRegion
    from tuner.local.control_plane.package import Code
    from tuner.local.control_plane.settings import Settings
    from tuner.local.deployment import Deployment

_PENDING: Final = "The function is currently in the following state: Pending"


@dataclass(frozen=True, slots=True)
class Target:
    """What one invocation runs, and under which limits."""

    function_name: str
    deployment: Deployment
    invoked_arn: str
    reserved_concurrency: int | None
    stops_recursion: bool = True
    event_retry_count: int = 2
    event_max_age_s: int = 21_600
    """Both for asynchronous invocations; Lambda's defaults."""


class FunctionStore:
    """Creates, changes, publishes, finds and deletes functions. Every refusal is an ApiError.

    `environment` is what every handler's AWS clients need to reach this host's services. `retire`
    is told about deployments that nothing will run again.
    """

    def __init__(
        self,
        account: AccountRegion,
        *,
        update_s: float,
        retire: Callable[[str], None],
        environment: tuple[tuple[str, str], ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self._update_s = update_s
        self._retire = retire
        self._environment = environment
        self._clock = clock
        self._random = random.Random(0)  # noqa: S311 - shares of traffic, no secret
        self._functions: dict[str, Function] = {}
        self.left_out: dict[str, str] = {}
        """Functions that aren't here, with the reasons, for whoever asks for them."""
        self._lock = threading.RLock()

    def now_s(self) -> float:
        """Read the clock that decides when changes are done."""
        return self._clock()

    def names(self) -> list[str]:
        """Return the functions' names in order."""
        with self._lock:
            return sorted(self._functions)

    @contextmanager
    def open(self, named: str | Reference, absent: ApiError | None = None) -> Iterator[Function]:
        """Hold a function for reading or changing.

        If it doesn't exist, raises `absent`, or an ApiError that names it as given.
        """
        name, qualifier = (named, None) if isinstance(named, str) else (named.name, named.qualifier)
        with self._lock:
            function = self._functions.get(name)
            if function is None:
                if absent is not None:
                    raise absent
                why = f" ({self.left_out[name]})" if name in self.left_out else ""
                raise not_found(f"Function not found: {self.account.arn(name, qualifier)}{why}")
            self._settle(function)
            yield function

    def all(self) -> list[tuple[Function, list[Version]]]:
        """Every function with its versions ($LATEST first), in order of name."""
        with self._lock:
            listed = [self._functions[name] for name in sorted(self._functions)]
            return [(function, function.all_versions()) for function in listed]

    def reserved_in_all(self, *, without: str = "") -> int:
        """Sum of the reserved concurrency of all functions except one."""
        with self._lock:
            return sum(
                function.reserved_concurrency or 0
                for name, function in self._functions.items()
                if name != without
            )

    def create(
        self,
        name: str,
        settings: Settings,
        code: Code,
        *,
        tags: Mapping[str, str],
        publish: bool = False,
        at_once: bool = False,
        aliases: Sequence[str] = (),
    ) -> tuple[Function, Version]:
        """Create a function; return it and what was created ($LATEST, or version 1).

        `aliases` point at version 1.
        """
        with self._lock:
            if name in self._functions:
                raise conflict(f"Function already exist: {name}")
            latest = self._new_version(name, LATEST, settings, code, "create", at_once=at_once)
            function = Function(name=name, latest=latest, tags=dict(tags))
            self._functions[name] = function
            for alias in aliases:
                function.aliases[alias] = Alias(alias, "1", "", (), str(uuid.uuid4()))
            if publish:
                return function, self._append_version(function, description=None)
            return function, latest

    def update(
        self,
        name: str,
        *,
        revision_id: str | None,
        settings: Callable[[Settings, Code], Settings],
        code: Code | None = None,
        publish: bool = False,
        dry_run: bool = False,
    ) -> tuple[Function, Version]:
        """Change the settings or the code of $LATEST; return what the reply describes."""
        with self.open(name) as function:
            latest = self._changeable(function, revision_id)
            new_code = code or latest.code
            changed_settings = settings(latest.settings, new_code)
            changed = self._new_version(name, LATEST, changed_settings, new_code, "update")
            if dry_run:
                return function, replace(latest, settings=changed_settings, code=changed.code)
            function.running, function.latest = latest, changed
            if publish:
                return function, self._publish(function, None)
            return function, changed

    def publish(
        self,
        name: str,
        *,
        description: str | None,
        code_sha256: str | None,
        revision_id: str | None,
    ) -> tuple[Function, Version]:
        """Publish $LATEST, or return the last version if code and settings are the same."""
        with self.open(name) as function:
            latest = self._changeable(function, revision_id)
            if code_sha256 and code_sha256 != latest.code.sha256:
                raise invalid(
                    f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST "
                    f"({latest.code.sha256}). Please try again with the CodeSHA256 in $LATEST."
                )
            return function, self._publish(function, description)

    def delete(self, reference: Reference) -> None:
        """Delete a function, or one version of it if it exists."""
        qualifier = reference.qualifier
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if qualifier is not None and is_alias(qualifier):
            raise invalid("Deletion of aliases is not currently supported.")
        with self.open(reference.name) as function:
            if qualifier is None:
                del self._functions[function.name]
                gone = [*function.all_versions(), function.running]
            elif not is_version(qualifier):
                raise not_found(f"Function not found: {self.account.arn(function.name)}")
            else:
                users = function.aliases_of(qualifier)
                if users:
                    raise conflict(
                        "Unable to delete version because the following aliases reference it: "
                        f"[{', '.join(users)}]"
                    )
                gone = [function.versions.pop(int(qualifier), None)]
        for version in gone:
            if version is not None:
                self._retire(version.deployment.deployment_id)

    def find(self, function: Function, reference: Reference) -> Version:
        """Return the version that a reference names; ApiError if there is none."""
        version = function.find_version(reference.qualifier)
        if version is None:
            arn = self.account.arn(reference.name, reference.qualifier)
            raise not_found(f"Function not found: {arn}")
        return version

    def check_exists(self, reference: Reference) -> None:
        """Raise ApiError unless there is what a reference names."""
        with self.open(reference) as function:
            self.find(function, reference)

    def touch(self, function: Function) -> None:
        """Change the revision of $LATEST: tags and publishing do so too."""
        function.latest = replace(
            function.latest, revision_id=str(uuid.uuid4()), ready_revision_id=str(uuid.uuid4())
        )

    def check_alias_or_version(self, reference: Reference) -> None:
        """Raise ApiError unless a reference names an existing version or alias."""
        with self._lock:
            function = self._functions.get(reference.name)
            if function is not None and function.find_version(reference.qualifier) is not None:
                return
        is_named = reference.qualifier is not None and is_alias(reference.qualifier)
        arn = self.account.arn(reference.name, reference.qualifier)
        raise not_found(f"{'Cannot find alias arn' if is_named else 'Function not found'}: {arn}")

    def target(self, reference: Reference) -> Target:
        """Choose what an invocation runs. During an update that's still the old $LATEST."""
        with self.open(Reference(reference.name, reference.qualifier or LATEST)) as function:
            version = self._weighted(function, reference)
            if version is function.latest and function.running is not None:
                version = function.running
            if not version.is_ready(self.now_s()):
                raise _not_now(_PENDING)
            events = function.event_configs.get(reference.qualifier or LATEST, EventConfig())
            return Target(
                function_name=function.name,
                deployment=version.deployment,
                invoked_arn=self.account.arn(function.name, reference.qualifier),
                reserved_concurrency=function.reserved_concurrency,
                stops_recursion=function.recursive_loop == "Terminate",
                event_retry_count=2 if events.retry_count is None else events.retry_count,
                event_max_age_s=events.max_age_s or 21_600,
            )

    def _weighted(self, function: Function, reference: Reference) -> Version:
        alias = function.aliases.get(reference.qualifier or "")
        if alias is None or not alias.weights:
            return self.find(function, reference)
        draw = self._random.random()
        for number, weight in alias.weights:
            draw -= weight
            if draw < 0:
                return function.versions[int(number)]
        return self.find(function, reference)

    def _changeable(self, function: Function, revision_id: str | None) -> Version:
        """Return $LATEST; refuse if its creation or last update isn't done, or for another's
        revision.
        """
        latest = function.latest
        if not latest.is_ready(self.now_s()):
            arn = self.account.arn(function.name)
            why = f"An update is in progress for resource: {arn}"
            raise _not_now(_PENDING if latest.change == "create" else why)
        if revision_id is not None and revision_id != latest.revision_at(self.now_s()):
            raise stale_revision()
        return latest

    def _publish(self, function: Function, description: str | None) -> Version:
        latest = function.latest
        last = function.versions.get(function.next_number - 1)
        if last and last.published_from == (latest.settings, latest.code.sha256):
            return last
        return self._append_version(function, description)

    def _append_version(self, function: Function, description: str | None) -> Version:
        """Publishing changes the revision of $LATEST too; numbers are never reused."""
        latest = function.latest
        settings = latest.settings
        if description is not None:
            settings = settings.changed({"Description": description})
        version = replace(
            self._new_version(
                function.name, str(function.next_number), settings, latest.code, "publish"
            ),
            ready_at_s=latest.ready_at_s,
            published_from=(latest.settings, latest.code.sha256),
        )
        self.touch(function)
        function.versions[function.next_number] = version
        function.next_number += 1
        return version

    def _new_version(
        self,
        name: str,
        number: str,
        settings: Settings,
        code: Code,
        change: Change,
        *,
        at_once: bool = False,
    ) -> Version:
        return Version(
            number=number,
            settings=settings,
            code=code,
            deployment=make_deployment(
                self.account,
                name,
                number,
                settings=settings,
                code_dir=code.folder,
                shared_environment=self._environment,
            ),
            change=change,
            modified_at_s=time.time(),
            ready_at_s=self.now_s() + (0 if at_once else self._update_s),
            revision_id=str(uuid.uuid4()),
            ready_revision_id=str(uuid.uuid4()),
        )

    def _settle(self, function: Function) -> None:
        """Forget what ran before an update that is done."""
        if function.running is not None and function.latest.is_ready(self.now_s()):
            gone, function.running = function.running, None
            self._retire(gone.deployment.deployment_id)


def _not_now(why: str) -> ApiError:
    return conflict(f"The operation cannot be performed at this time. {why}")
