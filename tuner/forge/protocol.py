"""What posting a comment needs of a forge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

ForgeName = Literal["github", "gitlab"]
MAX_WAIT_S: Final = 120.0
"""How long one run waits for rate limits in all."""


@dataclass(frozen=True, slots=True)
class Target:
    """A pull or merge request. `api_url` is None for the public GitHub or GitLab; `author` is who
    comments are of where the token may not ask who it is (None: GitHub Actions' own name).
    """

    kind: ForgeName
    token: str = field(repr=False)
    repository: str
    number: int
    api_url: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that is there."""

    comment_id: int
    body: str
    url: str


class Forge(Protocol):
    """The comments of one pull or merge request.

    Everything raises ForgeError; what changes something raises ForgeReadOnlyError where the token
    may not.
    """

    def own_comments(self) -> Sequence[Comment]:
        """All comments by this token's author, oldest first, over all pages."""

    def create(self, body: str) -> Comment:
        """Post a comment."""

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text."""

    def delete(self, comment: Comment) -> None:
        """Remove a comment."""
