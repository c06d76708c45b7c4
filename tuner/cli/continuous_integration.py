"""What a CI job's environment says about the pull request it runs for."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from tuner.errors import InputError, UsageError
from tuner.forge.protocol import ForgeName, Target

# https://docs.github.com/en/actions/reference/workflows-and-actions/variables
_PULL_REF: Final = re.compile(r"refs/pull/([0-9]+)/(?:merge|head)")
_REPOSITORY: Final[dict[ForgeName, re.Pattern[str]]] = {
    "github": re.compile(r"[\w.-]+/[\w.-]+"),
    "gitlab": re.compile(r"[\w.-]+(?:/[\w.-]+)+"),  # groups can be nested
}
_MAX_EVENT_BYTES: Final = 32 * 1024 * 1024
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class _Names(NamedTuple):
    """What a forge calls the variables of its jobs."""

    repository: str
    api_url: str
    token: str
    words: str


_NAMES: Final[dict[ForgeName, _Names]] = {
    "github": _Names("GITHUB_REPOSITORY", "GITHUB_API_URL", "GITHUB_TOKEN", "pull request"),
    # https://docs.gitlab.com/ci/variables/predefined_variables/; a job token can't comment.
    "gitlab": _Names("CI_PROJECT_PATH", "CI_API_V4_URL", "GITLAB_TOKEN", "merge request"),
}


def pull_request_target(
    *,
    forge: ForgeName | None,
    repository: str | None,
    number: int | None,
    api_url: str | None,
    author: str | None,
    token_env: str | None,
    environ: Mapping[str, str] = os.environ,
) -> Target:
    """Return the pull or merge request; flags come before the environment. Its token may be empty.

    Raises UsageError that names the flag if something is missing or wrong, InputError if the event
    can't be read.
    """
    kind = forge or ("gitlab" if environ.get("GITLAB_CI") else "github")
    names = _NAMES[kind]
    repository = repository or environ.get(names.repository)
    if not repository or not _REPOSITORY[kind].fullmatch(repository):
        raise UsageError(f"which repository? give --repository OWNER/NAME ({names.repository})")
    number = number or _number(kind, environ)
    if number is None:
        raise UsageError(f"this job isn't for a {names.words}: give --number")
    api_url = api_url or environ.get(names.api_url) or None
    _check(api_url)
    token = environ.get(token_variable(kind, token_env), "").strip()
    return Target(kind, token, repository, number, api_url, author)


def token_variable(kind: ForgeName, token_env: str | None) -> str:
    """The variable that holds the token."""
    return token_env or _NAMES[kind].token


def write_summary(text: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Append to the job's summary; False if there is none. Raises InputError."""
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return False
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{text.rstrip()}\n\n")
    except OSError as error:
        raise InputError(f"GITHUB_STEP_SUMMARY can't be written ({error.strerror})") from error
    return True


def _number(kind: ForgeName, environ: Mapping[str, str]) -> int | None:
    if kind == "gitlab":
        given = environ.get("CI_MERGE_REQUEST_IID", "")
        return int(given) if given.isdecimal() else None
    if match := _PULL_REF.fullmatch(environ.get("GITHUB_REF", "")):
        return int(match[1])
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            event = json.loads(file.read(_MAX_EVENT_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"GITHUB_EVENT_PATH can't be read ({type(error).__name__})") from error
    return _number_in(event)


def _number_in(event: Any) -> int | None:
    """From pull_request, pull_request_target, a comment on one, or the run it started.

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
    """Raise UsageError if a token shouldn't be sent to this address."""
    if api_url is None:
        return
    try:
        parts = urlsplit(api_url)
    except ValueError:
        raise UsageError("--api-url isn't an address: write https://HOST/PATH") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname:
        shown = f"{parts.scheme}://{parts.hostname or ''}"  # leaves out a password
        raise UsageError(f"--api-url {shown!r}: the token is sent over https only")
    if "@" in parts.netloc:
        raise UsageError(
            "--api-url contains a user or a token: write https://HOST/PATH, the token comes from "
            "the environment (--token-env)"
        )
