"""What `tune` is asked for beside sizes and limits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from tuner.sweep.hooks import Hooks, parse_hooks

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep


def hooks_of(before: str | None, after: str | None, *, each: bool) -> Hooks:
    """Return the commands to run, with this process's environment. Raises InputError."""
    return parse_hooks(before, after, "invocation" if each else "run", dict(os.environ))


def name_of(function: str | None, earlier: Sweep | None) -> str:
    """Return the function to tune: the one named, or the earlier sweep's. Raises a usage error."""
    if function is not None:
        return function
    if earlier is None:
        raise typer.BadParameter("name the FUNCTION to tune, or a sweep to go on with by --resume")
    return earlier.function.name
