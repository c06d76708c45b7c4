"""What an operator gives beside logs: tags, deployments, revenue, a bill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError, UsageError
from tuner.observe.deployments import git_tags, read_trail
from tuner.observe.side_files import read_deploys, read_revenue, read_tags
from tuner.observe.spend import SideFacts

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from tuner.model.spend import Deployment

    PathLike = str | os.PathLike[str]

_GIT: Final = "git:"


@dataclass(frozen=True, slots=True)
class SideFiles:
    """What costs are added up by (`function` or `tag:KEY`), and files, before they are read."""

    by: str = "function"
    tags: PathLike | None = None
    deploys: str | Sequence[str] = "auto"
    revenue: PathLike | None = None
    bill: PathLike | None = None

    def read(self, *, tags_known: bool = False) -> SideFacts:
        """Read all but the bill. `tags_known`: the account is asked for tags.

        Raises UsageError and InputError.
        """
        tag = SideFacts(self.by).tag
        if tag == "" or (tag is None and self.by != "function"):
            raise UsageError(f"`by` is {self.by!r}: give function or tag:KEY, such as tag:feature")
        if tag and self.tags is None and not tags_known:
            raise UsageError(
                f"the tag {tag} of functions is not in logs: give `tags`, a CSV table with the "
                f"columns function and {tag}"
            )
        if self.bill is not None and not Path(self.bill).is_file():
            raise InputError(f"{self.bill} isn't a file: check `bill`")
        given = [self.deploys] if isinstance(self.deploys, str) else self.deploys
        return SideFacts(
            by=self.by,
            tags=read_tags(Path(self.tags), tag) if tag and self.tags is not None else None,
            deployments=tuple(found for each in given for found in _deployments(each)),
            from_logs="auto" in given,
            revenue=None if self.revenue is None else read_revenue(Path(self.revenue)),
        )


def _deployments(given: str) -> tuple[Deployment, ...]:
    if given in {"auto", "none"}:
        return ()
    if given.startswith(_GIT):
        return git_tags(Path(given.removeprefix(_GIT) or "."))
    path = Path(given)
    return read_trail(path) if ".json" in path.suffixes else read_deploys(path)
