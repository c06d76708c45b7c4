"""The terminal: what stdout and stderr can show, and asking a question."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeVar

from tuner.cli.flags import shown, with_flags
from tuner.errors import NotAgreedError, TunerError, UsageError
from tuner.report.console import fit_to, glyphs_for
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tuner.breakeven.answer import BreakEven
    from tuner.model.comparison import Comparison
    from tuner.model.recommendation import Recommendation

T = TypeVar("T")

WIDTH_WITHOUT_TERMINAL: Final = 100
_shown_on: Final[list[TextIO]] = []


def show(
    answer: T,
    to_json: Callable[[T], dict[str, Any]],
    render: Callable[..., str],
    *,
    json: bool,
    **asked: Any,
) -> None:
    """Write an answer to stdout as one object, or as text that fits there; `asked` is for text."""
    answer = shown(answer)
    if json:
        show_json(to_json(answer))
    else:
        show_text(with_flags(render(answer, width=width(), encoding=encoding(), **asked)))


def show_answer(
    recommendation: Recommendation,
    format_name: str,
    *,
    again: str | None = None,
    apply: str | None = None,
    explain: bool = False,
) -> None:
    """Write the answer to stdout as text, json or markdown.

    In text, `again` is the command that shows it again, `apply` how to apply it, and `explain` adds
    the sizes, the curves and the assumptions.
    """
    recommendation = shown(recommendation)
    if format_name == "json":
        from tuner.report.json import to_json

        show_json(to_json(recommendation))
    elif format_name == "markdown":
        from tuner.report import markdown

        show_text(markdown.render(recommendation))
    else:
        from tuner.report import terminal

        text = terminal.render(
            recommendation,
            width=width(),
            color=takes_color(sys.stdout),
            encoding=encoding(),
            apply=apply,
            again=again,
            more="More: --explain.",
            explain=explain,
        )
        show_text(with_flags(text))


def show_answers(
    answers: Sequence[Recommendation],
    format_name: str,
    again: Sequence[str],
    *,
    explain: bool = False,
) -> None:
    """Write answers to stdout; several as JSON are one object per line.

    `again` has, for each, the command that shows it again.
    """
    if format_name == "json" and len(answers) > 1:
        from tuner.report.json import to_json

        for each in answers:
            show_text(json.dumps(to_json(shown(each)), allow_nan=False) + "\n")
        return
    from tuner.cli.commands import apply_line

    for number, (each, command) in enumerate(zip(answers, again, strict=True)):
        if number:
            show_text("\n")
        apply = apply_line(each) if format_name == "text" else None
        show_answer(each, format_name, again=command, apply=apply, explain=explain)


def show_break_even(answer: BreakEven, format_name: str, *, with_bill: bool = False) -> None:
    """Write the platform comparison to stdout as text, json or markdown.

    JSON always has the bill's items.
    """
    from tuner.report.breakeven import render, render_markdown, to_json

    if format_name == "markdown":
        show_text(render_markdown(shown(answer), with_bill=with_bill))
    else:
        show(answer, to_json, render, json=format_name == "json", with_bill=with_bill)


def show_comparison(found: Comparison, format_name: str) -> None:
    """Write a comparison to stdout as text, json or markdown."""
    from tuner.report.comparison import render, render_markdown
    from tuner.report.json import comparison_json

    if format_name == "markdown":
        show_text(render_markdown(shown(found)))
    else:
        show(found, comparison_json, render, json=format_name == "json")


def show_json(document: dict[str, Any]) -> None:
    """Write one JSON object to stdout."""
    show_text(json_text(document))


def json_text(document: dict[str, Any]) -> str:
    """The object as it is printed, and written to files."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def encoding() -> str:
    """What stdout can show."""
    return sys.stdout.encoding or "ascii"


def show_text(text: str) -> None:
    """Write to stdout; characters its encoding lacks become question marks, never an error."""
    with _writing():
        sys.stdout.write(text.encode(encoding(), "replace").decode(encoding()))


def show_bytes(data: bytes) -> None:
    """Write a picture or page to stdout."""
    with _writing():
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def _writing() -> Iterator[None]:
    """Raise TunerError if stdout can't be written."""
    _shown_on[:] = [sys.stdout]
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # drop the rest
        raise TunerError(f"stdout can't be written ({error.strerror})") from error


def has_shown() -> bool:
    """Whether stdout already has part of an answer."""
    return sys.stdout in _shown_on


def say(line: str) -> None:
    """Write a line to stderr, with control characters made harmless.

    If stderr can't be written (a closed terminal, a full disk), the work goes on without it.
    """
    glyphs = glyphs_for(sys.stderr.encoding or "ascii")
    try:
        sys.stderr.write(fit_to(plain(with_flags(line)), glyphs) + "\n")
        sys.stderr.flush()
    except BrokenPipeError:
        raise
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # drop the rest


def agree(question: str, *, flag: str = "--yes") -> bool:
    """Ask on stderr, read from stdin; no is the default.

    Raises UsageError without a terminal: then the flag has to answer.
    """
    if not is_interactive():
        raise UsageError(f"not a terminal, so can't ask for confirmation: pass {flag}")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def agree_to_invoke(
    side_effects: Sequence[str],
    question: str,
    *,
    is_free: bool,
    yes: bool,
    allow_side_effects: bool,
) -> None:
    """Get agreement to possible side effects, and separately to the cost. Raises NotAgreedError."""
    if side_effects:
        say(f"Invocations may have side effects: {'; '.join(side_effects)}.")
        if not allow_side_effects and not agree(question, flag="--allow-side-effects"):
            raise NotAgreedError("side effects not confirmed: nothing changed")
    if is_free:
        say("Runs on this machine only, so no confirmation is needed.")
    elif not (yes or agree("Proceed?")):
        raise NotAgreedError("plan not confirmed: nothing changed")


def is_interactive() -> bool:
    """Whether somebody can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def takes_color(stream: TextIO) -> bool:
    """Whether escape sequences are welcome (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def width() -> int:
    """Columns of the terminal; without one, a width that reads well in a file."""
    return shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns
