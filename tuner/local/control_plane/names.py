"""Function names as Lambda accepts them: names and ARNs, partial, full, qualified or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tuner.local.control_plane.api_error import ApiError, invalid, not_found
from tuner.local.control_plane.validation import unmatched

LATEST: Final = "$LATEST"
PARTITION: Final = "aws"
ACCOUNT_ID: Final = "123456789012"
"""The account that this endpoint pretends to be; it is also moto's default."""

_REFERENCE: Final = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    # Alone before a number it is a function's name with a version, not the word of an ARN.
    r"(?:(?<!^)function:|function:(?![0-9]+$))?"
    r"(?P<name>[a-zA-Z0-9_.-]+)"
    r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?"
)
_ALIAS: Final = re.compile(r"(?![0-9]+$)[a-zA-Z0-9_-]+")
MAX_NAME: Final = 64
"""Characters of a new function's name; the model has the limit of an ARN."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a FunctionName (with an optional Qualifier) names."""

    name: str
    qualifier: str | None


@dataclass(frozen=True, slots=True)
class AccountRegion:
    """The account and region of this endpoint's functions."""

    region: str
    account_id: str

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """Return a function's ARN, qualified or not."""
        arn = f"arn:{PARTITION}:lambda:{self.region}:{self.account_id}:function:{name}"
        return f"{arn}:{qualifier}" if qualifier else arn

    def resolve(self, given: str, qualifier: str | None = None) -> Reference:
        """Read a FunctionName; raises an ApiError for what AWS refuses."""
        found = _REFERENCE.fullmatch(given)
        if found is None:
            raise unmatched("functionName", given, "NamespacedFunctionName")
        if found["region"] not in (None, self.region):
            raise not_found(
                f"Functions from '{found['region']}' are not reachable in this region "
                f"('{self.region}')"
            )
        if found["account"] not in (None, self.account_id):
            raise ApiError(
                403,
                "AccessDeniedException",
                f"This endpoint's functions belong to account {self.account_id}, "
                f"not {found['account']}",
                type_=None,
            )
        if found["qualifier"] and qualifier and found["qualifier"] != qualifier:
            raise invalid(
                "The derived qualifier from the function name does not match the specified "
                "qualifier."
            )
        return Reference(found["name"], qualifier or found["qualifier"])

    def resolve_unqualified(self, given: str) -> str:
        """Read the FunctionName for an operation on the whole function."""
        reference = self.resolve(given)
        if reference.qualifier is not None:
            raise invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not "
                "support this operation. Please specify either a function name or an unqualified "
                "function ARN."
            )
        return reference.name


def check_new_name(name: str) -> None:
    """Refuse a function name that is too long."""
    if len(name) > MAX_NAME:
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy "
            f"constraint: Member must have length less than or equal to {MAX_NAME}"
        )


def is_version(qualifier: str) -> bool:
    """Whether a qualifier is a version number rather than an alias."""
    return qualifier.isascii() and qualifier.isdigit()


def is_alias(qualifier: str) -> bool:
    """Whether a qualifier can be an alias's name."""
    return _ALIAS.fullmatch(qualifier) is not None
