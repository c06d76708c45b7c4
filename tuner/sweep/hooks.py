"""The user's own commands before and after a sweep, or around each invocation.

They prepare and clean data. A command is split into words as a shell would, and run without one.
Variables (`TUNER_HOOK_…`) tell it what it is for; around an invocation, its standard input is the
event. Its output goes to stderr.
"""

from __future__ import annotations

import shlex
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import HookError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HookScope = Literal["run", "invocation"]
MAX_S: Final = 600.0
"""A command that takes longer is ended, and has failed."""
_STDERR: Final = 2


@dataclass(frozen=True, slots=True)
class Hooks:
    """The commands, split into words; None if not given."""

    before: tuple[str, ...] | None = None
    after: tuple[str, ...] | None = None
    scope: HookScope = "run"
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The commands' own variables, besides those that name the sweep and the call."""

    @contextmanager
    def around_run(self, facts: Mapping[str, str]) -> Iterator[None]:
        """Run `before`; and always `after`, once `before` has begun.

        Raises HookError: from `before`, in which case nothing else was done; from `after`, unless
        another error is already being raised.
        """
        if self.scope != "run":
            yield
            return
        try:
            self.run("before", facts)
            yield
        except BaseException as error:
            try:
                self.run("after", facts)
            except HookError as also:
                error.add_note(str(also))
            raise
        self.run("after", facts)

    def run(
        self, when: Literal["before", "after"], facts: Mapping[str, str], event: bytes = b""
    ) -> None:
        """Run a command, if there is one. Raises HookError."""
        words = self.before if when == "before" else self.after
        if words is None:
            return
        variables = {f"TUNER_HOOK_{name.upper()}": value for name, value in facts.items()}
        try:
            subprocess.run(  # noqa: S603 - the user's own command, given on the command line only
                words,
                input=event,
                stdout=_STDERR,  # stdout carries the answer
                env={**self.environment, **variables, "TUNER_HOOK": when},
                start_new_session=True,  # the sweep handles Ctrl-C; cleaning up continues
                timeout=MAX_S,
                check=True,
            )
        except subprocess.CalledProcessError as error:
            code = error.returncode
            why = f"it ended with {f'signal {-code}' if code < 0 else f'status {code}'}"
        except subprocess.TimeoutExpired:
            why = f"it took more than {MAX_S:.0f} s"
        except OSError as error:
            why = f"it can't be run: {error.strerror}"
        else:
            return
        raise HookError(f"the `{when}` command {words[0]!r} failed ({why})")

    @property
    def around_each(self) -> bool:
        """Whether they run around every invocation."""
        return self.scope == "invocation" and (self.before, self.after) != (None, None)


NO_HOOKS: Final = Hooks()


def parse_hooks(
    before: str | None, after: str | None, scope: HookScope, environment: Mapping[str, str]
) -> Hooks:
    """Split the commands as a shell would. Raises InputError."""
    if before is None and after is None and scope != "run":
        raise UsageError("`hooks_each` goes with `before` or `after`: give the command to run")
    return Hooks(_words("before", before), _words("after", after), scope, environment)


def _words(name: str, command: str | None) -> tuple[str, ...] | None:
    if command is None:
        return None
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(
            f"`{name}` can't be split into words ({error}): check its quotes"
        ) from None
    if not words:
        raise UsageError(f"`{name}` is empty: give a command, such as './reset-table.sh orders'")
    return words
