"""Comments and suggestions on pull and merge requests: one per key, found again and kept up to
date.

Read `protocol` first: what is asked of a forge. `open_forge` opens one for a request's address:
`github` or `gitlab`, each a `retrying_client`. `comments` posts text as a comment or on lines,
updates it when it changes, and withdraws what no longer holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.forge.protocol import Forge, Target


def open_forge(
    target: Target, *, sleep: Callable[[float], None], now_s: Callable[[], float]
) -> Forge:
    """Return the pull or merge request's comments and remarks; `now_s` gives seconds since 1970.

    Nothing is sent yet. Raises InputError without the forge's library.
    """
    if target.kind == "gitlab":
        from tuner.forge.gitlab import GitlabForge  # noqa: PLC0415 - one library is loaded

        return GitlabForge(target, sleep)
    from tuner.forge.github import GithubForge  # noqa: PLC0415 - as above

    return GithubForge(target, sleep, now_s)
