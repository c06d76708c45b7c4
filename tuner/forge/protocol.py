"""What posting a comment needs from a forge."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import quote

ForgeName = Literal["github", "gitlab"]


@dataclass(frozen=True, slots=True)
class Target:
    """A pull or merge request. `api_url` is None for the public GitHub or GitLab; `author` is whose
    comments to look for if the token may not ask who it is (None: GitHub Actions).
    """

    kind: ForgeName
    token: str = field(repr=False)
    repository: str
    number: int
    api_url: str | None = None
    author: str | None = None

    def without_token(self, text: str) -> str:
        """What a forge says, safe to show: some quote the token that they were sent."""
        forms = {self.token, quote(self.token, safe=""), b64encode(self.token.encode()).decode()}
        for form in sorted(filter(None, forms), key=len, reverse=True):
            text = text.replace(form, "[token]")
        return text


@dataclass(frozen=True, slots=True)
class Comment:
    """An existing comment."""

    comment_id: int
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A line of the change, as it is on the new side and as it should be.

    `subject` is what it's for: each subject has one. `words` is Markdown that precedes it.
    """

    subject: str
    path: str
    line: int
    now: str
    after: str
    words: str


@dataclass(frozen=True, slots=True)
class Remark:
    """An existing comment on a line; `line` is None if that line has changed since."""

    remark_id: str
    body: str
    path: str
    line: int | None
    answered: bool
    """Whether somebody replied to it."""


class Forge(Protocol):
    """The comments of one pull or merge request, and those on lines ("remarks").

    Every method raises ForgeError; those that change something raise ForgeReadOnlyError if the
    token may not.
    """

    def own_comments(self) -> Sequence[Comment]:
        """All comments by this token's author, oldest first, over all pages."""

    def create(self, body: str) -> Comment:
        """Post a comment."""

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text."""

    def delete(self, comment: Comment) -> None:
        """Remove a comment."""

    @property
    def block(self) -> str:
        """The language of a fenced block that suggests one line."""

    def shows(self, suggestion: Suggestion) -> bool:
        """Whether the line is in the diff, and reads there as it does in the suggestion."""

    def own_remarks(self) -> Sequence[Remark]:
        """All remarks by this token's author, oldest first, over all pages."""

    def remark(self, suggestion: Suggestion, body: str) -> None:
        """Post a remark on the suggestion's line, which the diff shows."""

    def update_remark(self, remark: Remark, body: str) -> None:
        """Replace a remark's text."""

    def delete_remark(self, remark: Remark) -> None:
        """Remove a remark."""
