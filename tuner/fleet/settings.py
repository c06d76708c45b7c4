"""`fleet.toml`: what a fleet's functions are sent, what they may do, and how accounts are reached.

[functions."resize-*"]                # a name or a pattern; the first that fits counts
payload = ["events/resize.toml"]      # as `tuner tune --payload`, relative to this file
allow_side_effects = true
isolation = "clone"

[functions.legacy]
exclude = "is rewritten this month"

[accounts."111122223333"]
role = "arn:aws:iam::111122223333:role/tuner"
external_id = "…"                     # or profile = "NAME"

[organization]                        # all of its other accounts, by the role of this name
role = "tuner"                        # external_id, partition as needed

[side_effects]
tag = "tuner-side-effects=allowed"    # functions with this tag may have some

[[windows]]
from = "22:00"
to = "05:00"
zone = "Europe/Berlin"
days = ["mon", "tue"]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, cast, get_args

from tuner.errors import InputError
from tuner.fleet.windows import check_window
from tuner.model.fleet import RunWindow
from tuner.model.plan import Isolation
from tuner.model.toml_table import read_toml

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.toml_table import TomlTable

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """What is said of the functions that a pattern names."""

    pattern: str
    payloads: tuple[str, ...] = ()
    """Files by absolute path."""
    allows_side_effects: bool = False
    isolation: Isolation = "auto"
    exclude: str | None = None
    """Why they aren't swept."""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """Whose credentials reach an account."""

    account: str
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """How the accounts of an organization are reached that aren't named by themselves."""

    role_name: str
    external_id: str | None = None
    partition: str = "aws"

    def of(self, account: str) -> AccountSettings:
        """How one is reached."""
        role_arn = f"arn:{self.partition}:iam::{account}:role/{self.role_name}"
        return AccountSettings(account, None, role_arn, self.external_id)


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """All of the file."""

    functions: tuple[FunctionSettings, ...] = ()
    accounts: tuple[AccountSettings, ...] = ()
    windows: tuple[RunWindow, ...] = ()
    side_effects_tag: tuple[str, str] | None = None
    organization: OrganizationSettings | None = None

    def of(self, name: str) -> FunctionSettings:
        """What is said of a function; the first pattern that fits counts."""
        fitting = (each for each in self.functions if fnmatchcase(name, each.pattern))
        return next(fitting, FunctionSettings(name))

    def account(self, account: str) -> AccountSettings:
        """How an account is reached: with the usual credentials where nothing is said."""
        found = (each for each in self.accounts if each.account == account)
        if self.organization is not None and account:
            return next(found, self.organization.of(account))
        return next(found, AccountSettings(account))


def read_settings(file: Path) -> FleetSettings:
    """Read the file. Raises InputError with the place of what is wrong."""
    return read_toml(file, lambda document: _settings(document, file.parent))


def _settings(document: TomlTable, folder: Path) -> FleetSettings:
    functions = document.table("functions")
    accounts = document.table("accounts")
    tag = document.table("side_effects")
    found = FleetSettings(
        tuple(_function(functions.table(name), name, folder) for name in functions.names),
        tuple(_account(accounts.table(name), name) for name in accounts.names),
        tuple(_window(each) for each in document.tables("windows")),
        _tag(tag.text("tag")),
        _organization(document.table("organization")),
    )
    tag.end()
    document.end()
    return found


def _function(table: TomlTable, pattern: str, folder: Path) -> FunctionSettings:
    isolation = table.text("isolation") or "auto"
    if isolation not in get_args(Isolation):
        raise InputError(
            f"functions.{pattern}.isolation is {isolation!r}: one of "
            f"{', '.join(get_args(Isolation))}"
        )
    settings = FunctionSettings(
        pattern,
        tuple(absolute_payload(each, folder) for each in table.texts("payload")),
        table.flag("allow_side_effects"),
        cast("Isolation", isolation),
        table.text("exclude"),
    )
    table.end()
    return settings


def absolute_payload(spec: str, folder: Path) -> str:
    """A file or folder by its whole path; anything else (JSON, a source) as it is."""
    path = folder / spec
    return str(path.resolve()) if len(spec) < 1024 and "\n" not in spec and path.exists() else spec


def _account(table: TomlTable, account: str) -> AccountSettings:
    if not _ACCOUNT.fullmatch(account):
        raise InputError(f"accounts.{account}: an account's id has twelve digits")
    settings = AccountSettings(
        account, table.text("profile"), table.text("role"), table.text("external_id")
    )
    if settings.external_id is not None and settings.role_arn is None:
        raise InputError(f"accounts.{account}.external_id is for a role: name it with role")
    table.end()
    return settings


def _organization(table: TomlTable) -> OrganizationSettings | None:
    role = table.text("role")
    if role is not None and not re.fullmatch(r"[\w+=,.@/-]+", role):
        raise InputError(
            f"organization.role is {role!r}: write the name that the role has in each account"
        )
    external_id, partition = table.text("external_id"), table.text("partition")
    table.end()
    if role is not None:
        return OrganizationSettings(role, external_id, partition or "aws")
    if external_id is not None or partition is not None:
        raise InputError("organization has no role: write the name it has in each account")
    return None


def _window(table: TomlTable) -> RunWindow:
    days = table.texts("days")
    if unknown := [each for each in days if each not in _DAYS]:
        raise InputError(f"windows: {unknown[0]!r} isn't a day: one of {', '.join(_DAYS)}")
    window = RunWindow(
        table.text("from") or "00:00",
        table.text("to") or "00:00",
        table.text("zone") or "UTC",
        tuple(_DAYS.index(each) for each in days),
    )
    table.end()
    check_window(window)
    return window


def _tag(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise InputError(f"side_effects.tag is {text!r}: write it as KEY=VALUE")
    return key, value
