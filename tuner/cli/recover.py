"""`tuner recover`: finish what an interrupted sweep left."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from tuner.cli import options
from tuner.cli.screen import agree, say, show_text

EPILOG = """\
tuner recover --dry-run

tuner recover --yes --profile staging

tuner recover --function resize-images --region eu-west-1

tuner recover --function resize-images --take-over 20261129-081500-3fa9c1"""

LEFT_CHANGED = 4
WOULD_CHANGE = 10


class _Recovery(Protocol):
    """Something to put right, with a journal or without."""

    @property
    def is_empty(self) -> bool: ...

    @property
    def others(self) -> tuple[str, ...]: ...

    def describe(self) -> tuple[str, ...]: ...

    def carry_out(self) -> None: ...


def recover(
    *,
    function: options.LeftFunction = None,
    take_over: options.TakeOver = None,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint_url: options.EndpointUrl = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    detailed_exitcode: options.DetailedExitcode = False,
) -> int:
    """Restore what interrupted sweeps left changed, and delete what they made.

    Looks through the journals of this machine, says what is to be done, and does it once you
    agree. With --function it also finds what a sweep on another machine left, and puts it right
    once --take-over says that the sweep is not running. Versions that existed before, or that an
    alias points at, are never deleted.
    """
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.cli.state import state_dir  # noqa: PLC0415 - as above
    from tuner.errors import UsageError  # noqa: PLC0415 - as above

    if take_over and function is None:
        raise UsageError("--take-over needs --function: whose sweep is it?")
    place = {"profile": profile, "region": region, "endpoint_url": endpoint_url}
    folder = state_dir()
    name = function and _name_of(function)
    manner = {"yes": yes, "dry_run": dry_run, "detailed_exitcode": detailed_exitcode}
    codes = [
        _recover_one(partial(api.open_recovery, journal, state_dir=folder, **place), **manner)
        for journal in api.find_unfinished(folder)
        if name in (None, journal.header.function.name)
    ]
    if function is not None:
        stray = partial(
            api.open_stray, function, state_dir=folder, take_over=take_over or (), **place
        )
        codes.append(_recover_one(stray, has_journal=False, **manner))
    if not codes:
        show_text("Nothing is left of any sweep.\n")
    return max(codes, default=0)


def _recover_one(
    opening: Callable[[], AbstractContextManager[_Recovery]],
    *,
    yes: bool,
    dry_run: bool,
    detailed_exitcode: bool,
    has_journal: bool = True,
) -> int:
    """Show what is to be done, and do it if that is agreed to; return the exit code.

    Without a journal something is known to be left only once it was found.
    """
    from tuner.errors import TunerError  # noqa: PLC0415 - not needed for --help

    is_left = has_journal
    try:
        with opening() as recovery:
            is_left |= not recovery.is_empty or bool(recovery.others)
            for line in recovery.describe():
                show_text(f"{line}\n")
            if dry_run:
                return WOULD_CHANGE if detailed_exitcode and is_left else 0
            if not (yes or recovery.is_empty or agree("Do it?")):
                return LEFT_CHANGED
            if recovery.is_empty and recovery.others:
                return LEFT_CHANGED
            recovery.carry_out()
            if recovery.others:
                show_text("Done, but for what may be another machine's sweep.\n")
                return LEFT_CHANGED
            show_text("Done: nothing of this sweep is left.\n")
    except TunerError as error:
        say(f"tuner: {error}")
        return LEFT_CHANGED if is_left else error.exit_code
    return 0


def _name_of(function: str) -> str:
    """The function's name in what may be an ARN."""
    from tuner.aws.reference import parse_reference  # noqa: PLC0415 - not needed for --help

    return parse_reference(function).name
