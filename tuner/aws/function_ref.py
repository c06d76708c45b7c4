"""How a user names a function: a name, a partial or a full ARN, qualified or not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tuner.errors import UsageError

# AWS's API reference, parameter FunctionName: name, partial ARN and ARN, each with an optional
# version or alias behind it; a name has at most 64 characters.
_REFERENCE = re.compile(
    r"""
    (?: arn:(?P<partition>aws[a-zA-Z-]*):lambda:(?P<region>[a-z]{2,4}(?:-[a-z]+)+-[0-9]+):
        (?P<arn_account>[0-9]{12}):function:
      | (?P<account>[0-9]{12}):function:
      | function:
    )?
    (?P<name>[a-zA-Z0-9_-]{1,64})
    (?: :(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]{1,128}) )?
    """,
    re.VERBOSE,
)
_SHOWN_CHARACTERS = 80
EVENT_REGISTRY = "lambda-testevent-schemas"
"""The registry of EventBridge Schemas with shareable test events."""


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A function, and which of its versions "current" means.

    What is tuned is always the function. With a `qualifier` (a version's number, an alias or
    $LATEST), that version's memory and code are the ones in use now; without one, those of $LATEST.
    Parts that the user left out are None.
    """

    name: str
    qualifier: str | None = None
    region: str | None = None
    account_id: str | None = field(default=None, repr=False)
    partition: str | None = None

    @property
    def target(self) -> str:
        """The FunctionName for a request, unqualified.

        It keeps an account that the user named: the bare name could be another function, in the
        credentials' account.
        """
        if self.account_id is None:
            return self.name
        if self.region is None:
            return f"{self.account_id}:function:{self.name}"
        return f"arn:{self.partition}:lambda:{self.region}:{self.account_id}:function:{self.name}"

    @property
    def event_schema(self) -> str:
        """The schema in that registry with the function's events."""
        return f"_{self.name}-schema"


def parse_reference(text: str) -> FunctionRef:
    """Read a name, partial ARN or ARN. Raises UsageError for anything else."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{_shown(text)} is not the name or ARN of a Lambda function: give a name such as "
            "resize-images, or arn:aws:lambda:REGION:ACCOUNT:function:NAME"
        )
    return FunctionRef(
        name=match["name"],
        qualifier=match["qualifier"],
        region=match["region"],
        account_id=match["arn_account"] or match["account"],
        partition=match["partition"],
    )


def check_region(reference: FunctionRef, region: str) -> None:
    """Raise UsageError if the function's ARN names another region."""
    if reference.region not in (None, region):
        raise UsageError(
            f"{reference.name} is in {reference.region} by its ARN, but the region is {region}: "
            f"give `region={reference.region}`, or the ARN of the one in {region}"
        )


def _shown(text: str) -> str:
    """Quote what was given, bounded and without control characters."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
    return repr(cut)


def arn_part(arn: object, at: int) -> str:
    """A part of an ARN (2 is its service, 3 its region, 4 its account); empty where it has none."""
    return (*str(arn or "").split(":"), *[""] * (at + 1))[at]
