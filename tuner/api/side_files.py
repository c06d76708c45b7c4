"""What an operator gives beside logs: tags, deployments, revenue, a bill."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tuner.errors import InputError, UsageError
from tuner.observe.deployments import git_tags, read_trail
from tuner.observe.side_files import read_deploys, read_revenue, read_tags

if TYPE_CHECKING:
    import datetime
    import os
    from collections.abc import Sequence

    from tuner.model.spend import Deployment

    PathLike = str | os.PathLike[str]

_TAG: Final = "tag:"
_GIT: Final = "git:"


class SideFiles(NamedTuple):
    """What was given beside the logs, read before them: a mistake is told at once.

    `tag` is the key that costs are added up by; None: they're added up by function.
    """

    tag: str | None

    tags: dict[str, str] | None
    deployments: tuple[Deployment, ...]
    from_logs: bool
    revenue: dict[str, dict[datetime.date, float]] | None
    bill: Path | None

    @classmethod
    def of(
        cls,
        by: str,
        tags: PathLike | None,
        deploys: str | Sequence[str],
        revenue: PathLike | None,
        bill: PathLike | None,
        *,
        tags_known: bool = False,
    ) -> SideFiles:
        """Read them. `tags_known`: the account is asked for tags. Raises UsageError, InputError."""
        key = by.removeprefix(_TAG)
        if by != "function" and (key == by or not key):
            raise UsageError(f"`by` is {by!r}: give function or tag:KEY, such as tag:feature")
        if by != "function" and tags is None and not tags_known:
            raise UsageError(
                f"the tag {key} of functions is not in logs: give `tags`, a CSV table with the "
                f"columns function and {key}"
            )
        if bill is not None and not Path(bill).is_file():
            raise InputError(f"{bill} isn't a file: check `bill`")
        given = [deploys] if isinstance(deploys, str) else list(deploys)
        return cls(
            tag=None if by == "function" else key,
            tags=None if tags is None or by == "function" else read_tags(Path(tags), key),
            deployments=tuple(found for each in given for found in _deployments(each)),
            from_logs="auto" in given,
            revenue=None if revenue is None else read_revenue(Path(revenue)),
            bill=None if bill is None else Path(bill),
        )


def _deployments(given: str) -> tuple[Deployment, ...]:
    if given in {"auto", "none"}:
        return ()
    if given.startswith(_GIT):
        return git_tags(Path(given.removeprefix(_GIT) or "."))
    path = Path(given)
    if {".json"} & set(path.suffixes):
        return read_trail(path)
    return read_deploys(path)
