"""Imports of what an extra brings: where it is missing, one line says how to install it."""

from __future__ import annotations

import json
import shlex
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tuner.errors import InputError, TunerError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def optional_import(
    need: str, *modules: str, extra: str, error: type[TunerError] = InputError
) -> Iterator[None]:
    """Have imports of these modules say `need` ("figures need matplotlib") where one is missing.

    A module that is missing inside of them is another fault, and raised as it is.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in modules:
            raise
        raise error(f"{need}, which is not installed: {install_command(extra)}") from None


def install_command(extra: str) -> str:
    """The command that adds an extra, from where this package was installed (PEP 610)."""
    name = "lambda-tuner"
    try:
        source = json.loads(distribution(name).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        source = {}
    url = str(source.get("url", ""))
    if "vcs_info" in source:
        wanted = f"{name}[{extra}] @ {source['vcs_info'].get('vcs', 'git')}+{url}"
    elif url.startswith("file:"):
        wanted = f"{unquote(urlsplit(url).path)}[{extra}]"
    elif url:
        wanted = f"{name}[{extra}] @ {url}"
    else:
        wanted = f"{name}[{extra}]"
    editable = "-e " if source.get("dir_info", {}).get("editable") else ""
    return f"pip install {editable}{shlex.quote(wanted)}"
