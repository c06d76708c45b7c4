"""`tuner recover`: undo what an interrupted sweep left changed."""

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tuner.cli import options
from tuner.cli.config import state_dir
from tuner.cli.exit_status import LEFT_CHANGED, WOULD_CHANGE
from tuner.cli.flags import with_flags
from tuner.cli.groups import MannerOptions, WhereOptions, spread
from tuner.cli.progress import tell_recovery
from tuner.cli.screen import agree, say, show_json, show_text
from tuner.errors import TunerError, UsageError
from tuner.report.json import headed

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tuner.api.recovery import Recovery, StrayRecovery

EPILOG = """\
tuner recover --dry-run

tuner recover --yes --profile staging

tuner recover --function resize-images --region eu-west-1

tuner recover --function resize-images --take-over 20261129-081500-3fa9c1"""


@dataclass(slots=True)
class _Outcome:
    """What became of one journal, or of a function without one; filled in along the way."""

    function: str
    sweep_id: str | None = None
    actions: tuple[str, ...] = ()
    is_done: bool = False
    others: tuple[str, ...] = ()
    error: str | None = None
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        """As an entry of `functions`."""
        return {
            "function": self.function,
            "sweep_id": self.sweep_id,
            "actions": list(map(with_flags, self.actions)),
            "done": self.is_done,
            "others": list(self.others),
            "error": self.error and with_flags(self.error),
        }


@spread
def recover(
    *,
    function: options.LeftFunction = None,
    take_over: options.TakeOver = None,
    where: WhereOptions,
    manner: MannerOptions,
) -> int:
    """Restore what interrupted sweeps left changed, and delete what they made.

    Looks through this machine's journals, shows what it would do, and does it once you agree. With
    --function it also finds what a sweep on another machine left, and undoes it once --take-over
    says that the sweep isn't running. Versions that existed before, or that an alias points at, are
    never deleted.
    """
    from tuner.api import recovery
    from tuner.lease.journal import find_unfinished
    from tuner.lease.unfinished import read_header

    if take_over and function is None:
        raise UsageError("--take-over needs --function: whose sweep is it?")
    place: dict[str, Any] = asdict(where)
    folder = state_dir()
    name = function and _name_of(function)
    outcomes: list[_Outcome] = []
    damaged: list[_Outcome] = []

    def keep_damaged(path: "Path", error: "TunerError") -> None:
        header = read_header(path)
        if header is None or name in (None, header.function.name):
            whose = header.function.name if header is not None else "(unknown)"
            damaged.append(_Outcome(whose, path.stem, error=str(error), exit_code=LEFT_CHANGED))

    for journal in find_unfinished(folder, keep_damaged):
        header = journal.header
        if name in (None, header.function.name):
            outcome = _Outcome(header.function.name, header.sweep_id)
            outcomes.append(outcome)
            opening = partial(
                recovery.open_recovery, journal, state_dir=folder, on_wait=_tell_wait, **place
            )
            _recover_one(opening, outcome, manner)
    for outcome in damaged:
        say(f"tuner: {outcome.error}")
    outcomes += damaged
    if function is not None:
        outcome = _Outcome(_name_of(function))
        stray = partial(
            recovery.open_stray, function, state_dir=folder, take_over=take_over or (), **place
        )
        # If there is nothing else to report, a failure to look is the whole answer.
        _recover_one(stray, outcome, manner, has_journal=False, is_all=not outcomes)
        outcomes.append(outcome)
    exit_code = max((outcome.exit_code for outcome in outcomes), default=0)
    if manner.json:
        functions = [outcome.to_json() for outcome in outcomes]
        ended = {"functions": functions, "exit_code": exit_code}
        show_json({**headed("recovery"), "dry_run": manner.dry_run, **ended})
    elif not outcomes:
        show_text("Nothing is left of any sweep.\n")
    return exit_code


def _recover_one(
    opening: "Callable[[], AbstractContextManager[Recovery | StrayRecovery]]",
    outcome: _Outcome,
    manner: MannerOptions,
    *,
    has_journal: bool = True,
    is_all: bool = False,
) -> None:
    """Show what is to be done, do it if agreed to, and keep the result in `outcome`.

    Without a journal, something is known to be left only once it's found. Raises TunerError if
    nothing is known, nothing else is asked for (`is_all`), and the answer is JSON.
    """

    def show(line: str) -> None:
        if not manner.json:
            show_text(f"{with_flags(line)}\n")

    is_left = has_journal
    try:
        with opening() as recovery:
            is_left |= not recovery.is_empty or bool(recovery.others)
            outcome.sweep_id, outcome.others = recovery.sweep_id, recovery.others
            outcome.actions = recovery.describe()
            asks = not (manner.dry_run or manner.yes or recovery.is_empty)
            for line in outcome.actions:
                (say if manner.json and asks else show)(line)
            if manner.dry_run:
                outcome.exit_code = WOULD_CHANGE if manner.detailed_exitcode and is_left else 0
                return
            if (asks and not agree("Do it?")) or (recovery.is_empty and recovery.others):
                outcome.exit_code = LEFT_CHANGED
                return
            recovery.carry_out(tell_recovery)
            outcome.is_done = True
            if recovery.others:
                show("Done, except for what may be another machine's sweep.")
                outcome.exit_code = LEFT_CHANGED
                return
            show("Done: nothing of this sweep is left.")
    except TunerError as error:
        if manner.json and is_all and not is_left:
            raise
        say(f"tuner: {error}")
        outcome.error = str(error)
        outcome.exit_code = LEFT_CHANGED if is_left else error.exit_code


def _tell_wait(seconds: float) -> None:
    say(f"  waiting {seconds:.0f} s: a request of the interrupted sweep may still take effect")


def _name_of(function: str) -> str:
    """The function's name, possibly from an ARN."""
    from tuner.aws.function_ref import parse_reference

    return parse_reference(function).name
