"""What a CI job's environment says of the pull request that it runs for."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tuner.errors import InputError
from tuner.forge.protocol import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

# https://docs.github.com/en/actions/reference/workflows-and-actions/variables
_PULL_REF: Final = re.compile(r"refs/pull/([0-9]+)/(?:merge|head)")
_REPOSITORY: Final = re.compile(r"[\w.-]+/[\w.-]+")
_MAX_EVENT_BYTES: Final = 32 * 1024 * 1024
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def pull_request_target(
    *,
    repository: str | None,
    number: int | None,
    api_url: str | None,
    author: str | None,
    token_env: str,
    environ: Mapping[str, str] = os.environ,
) -> Target | None:
    """Return the pull request; flags come before the environment. None without a token.

    Raises InputError that names the flag for what is missing.
    """
    repository = repository or environ.get("GITHUB_REPOSITORY")
    if not repository or not _REPOSITORY.fullmatch(repository):
        raise InputError("which repository? give --repository OWNER/NAME (GITHUB_REPOSITORY)")
    number = number or _number(environ)
    if number is None:
        raise InputError("this job is of no pull request: give --number")
    api_url = api_url or environ.get("GITHUB_API_URL") or None
    _check(api_url)
    token = environ.get(token_env, "").strip()
    return Target(token, repository, number, api_url, author) if token else None


def write_summary(text: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Append to the job's summary; False where there is none. Raises InputError."""
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return False
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{text.rstrip()}\n\n")
    except OSError as error:
        raise InputError(f"GITHUB_STEP_SUMMARY cannot be written ({error.strerror})") from error
    return True


def _number(environ: Mapping[str, str]) -> int | None:
    if match := _PULL_REF.fullmatch(environ.get("GITHUB_REF", "")):
        return int(match[1])
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            event = json.loads(file.read(_MAX_EVENT_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"GITHUB_EVENT_PATH cannot be read ({type(error).__name__})") from error
    return _number_in(event)


def _number_in(event: Any) -> int | None:
    """Of pull_request, pull_request_target, a comment on one, and the run that it started.

    GitHub leaves a fork's pull request out of `workflow_run`.
    """
    if not isinstance(event, dict):
        return None
    run = event.get("workflow_run")
    of_run = run.get("pull_requests") if isinstance(run, dict) else None
    candidates = [event.get("pull_request"), event.get("issue")]
    if isinstance(of_run, list) and len(of_run) == 1:
        candidates += of_run
    for each in candidates:
        number = each.get("number") if isinstance(each, dict) else None
        if isinstance(number, int) and number > 0:
            return number
    return None


def _check(api_url: str | None) -> None:
    """Raise InputError for an address to which a token should not be sent."""
    if api_url is None:
        return
    try:
        parts = urlsplit(api_url)
    except ValueError:
        raise InputError(f"--api-url {api_url!r} is no address") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname:
        raise InputError(f"--api-url {api_url!r}: the token is sent by https only")
