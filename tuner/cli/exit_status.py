"""How a command ends: its exit code, and an error as a line and, if asked for, as JSON."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from tuner.cli import screen
from tuner.cli.config import defaults_for
from tuner.cli.flags import with_flags
from tuner.errors import TunerError
from tuner.report.json import headed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.model.recommendation import Recommendation, Verdict


_HAVE_JSON: Final = frozenset(
    {
        "apply", "break-even", "cold", "compare", "fleet plan", "fleet report", "fleet run",
        "fleet status", "fleet stop", "live-check", "load", "local check", "observe",
        "payload check", "payload events", "payload make", "payload sources", "prices refresh",
        "prices show", "recover", "report", "scan", "spend", "sweeps", "tune", "verify", "watch",
        "workflow",
    }
)  # fmt: skip
"""Commands with --json, for which a setting may ask for JSON too."""
_HAVE_FORMATS: Final = frozenset(
    ("report", "compare", "break-even", "scan", "spend", "fleet report")
)
"""Those with --format besides."""


def tell(error: TunerError | None, message: str, exit_code: int, arguments: Sequence[str]) -> None:
    """Write the line; if JSON was asked for and stdout has no answer yet, write the object too.

    `error` is None for a wrong command line and for an unexpected error.
    """
    screen.say(f"tuner: {message}")
    if screen.has_shown() or not asks_json(arguments):
        return
    unforeseen = "usage_error" if exit_code == 2 else "unexpected_error"
    screen.show_json(
        {
            **headed("error"),
            "code": unforeseen if error is None else error.code,
            "message": with_flags(message),
            "exit_code": exit_code,
        }
    )


def asks_json(arguments: Sequence[str]) -> bool:
    """Whether JSON was asked for, by the arguments, the environment, the folder's settings or the
    user's own.
    """
    words = list(arguments)
    words = words[: words.index("--")] if "--" in words else words
    if "--json" in words or "--format=json" in words or ("--format", "json") in pairwise(words):
        return True
    command = {" ".join(words[:1]), " ".join(words[:2])}
    if not command & _HAVE_JSON:
        return False
    settings: dict[str, Any] = {}
    with suppress(TunerError):
        settings = defaults_for({"json", "format_name"})
    if command & _HAVE_FORMATS and settings.get("format_name") == "json":
        return True
    given = os.environ.get("TUNER_JSON") or settings.get("json")
    return str(given).lower() in {"1", "true", "yes", "on", "t", "y"}


FAILED: Final = 1
LEFT_CHANGED: Final = 4
INTERRUPTED: Final = 130
RESIZE: Final = 10
WOULD_CHANGE: Final = RESIZE
LEAVE: Final = 11
INCONCLUSIVE: Final = 12
_CODES: Final[dict[Verdict, int]] = {"keep": 0, "resize": RESIZE, "inconclusive": INCONCLUSIVE}


def of(answer: Recommendation) -> int:
    """0 for keep, 10 for resize, 12 for inconclusive."""
    return _CODES[answer.choice.verdict]


def of_all(answers: Iterable[Recommendation]) -> int:
    """10 if any is to be resized, else 12 if any is inconclusive, else 0."""
    codes = {of(answer) for answer in answers}
    return next((code for code in (RESIZE, INCONCLUSIVE) if code in codes), 0)


def of_platform(verdict: str | None) -> int:
    """0 for staying on Lambda (or nothing to say), 12 for too close to call, else 11: leave."""
    return {"stay": 0, "too-close": INCONCLUSIVE, None: 0}.get(verdict, LEAVE)
