"""A function of the tool's own, for `tuner live-check`: made, used, and deleted whatever happens.

Its name begins like a copy's, so that the same guards hold: nothing else is ever deleted, and only
with the Description of its check. The journal's first record, on disk before the function is made,
is all that recovery needs.
"""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Unpack

from tuner.errors import (
    AwsError,
    EndpointError,
    FunctionNotFoundError,
    InputError,
    ThrottledError,
)
from tuner.lease.clone import COPY_PREFIX, give_back_copy
from tuner.lease.function_control import lease_io
from tuner.lease.journal import Journal, function_digest, make_header
from tuner.lease.uninterruptible import uninterruptible
from tuner.model.function import FunctionConfig
from tuner.model.progress import CopyMade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.lease.function_control import FunctionControl, LeaseIO, Reach
    from tuner.lease.journal import LeaseTerms
    from tuner.lease.unfinished import JournalHeader
    from tuner.model.function import Throwaway

CHECK_TAG: Final = "lambda-tuner-live-check"


def check_name(name: str) -> None:
    """Raise InputError unless it's a name that only such a function may have."""
    if not name.startswith(COPY_PREFIX) or name == COPY_PREFIX:
        raise InputError(
            f"`create={name}`: the name must begin with {COPY_PREFIX}, so that neither the tool "
            "nor its policy can reach another function"
        )


@contextmanager
def open_throwaway(
    spec: Throwaway, terms: LeaseTerms, **reach: Unpack[Reach]
) -> Iterator[FunctionConfig]:
    """Make the function; at the end delete it with its versions, aliases and log group.

    Raises InputError for a name that is taken (or isn't such a function's), LeaseError, AwsError,
    and LeftChangedError if the function may be left: the journal stays then.
    """
    check_name(spec.name)
    io = lease_io(**reach)
    description = f"lambda-tuner live check {terms.sweep_id}"
    _refuse_taken(spec.name, io)
    wanted = _wanted(spec, description, io.control.arn_of(spec.name))
    journal = Journal.create(terms.state_dir, make_header(wanted, terms))
    may_come_late = True
    try:
        try:
            made = io.control.create_throwaway(spec, description, {CHECK_TAG: terms.sweep_id})
            may_come_late = False
        except AwsError as error:
            may_come_late = isinstance(error, (EndpointError, ThrottledError))
            raise
        io.on_progress(CopyMade(spec.name))
        yield made
    finally:
        journal.note_unanswered(io.limit.unanswered)

        def give_back() -> None:
            give_back_copy(spec.name, description, io, journal, may_come_late=may_come_late)

        uninterruptible(give_back, io.limit)


def is_of_this_account(
    header: JournalHeader, control: FunctionControl, endpoint_url: str | None
) -> bool:
    """Whether `control` reaches the account in which the function of a journal was made."""
    function = dataclasses.replace(header.function, arn=control.arn_of(header.function.name))
    return function_digest(function, endpoint_url) == header.function_digest


def _refuse_taken(name: str, io: LeaseIO) -> None:
    try:
        io.control.read_function(name)
    except FunctionNotFoundError:
        return
    raise InputError(
        f"there is a function {name} already: give another name to `create` (or run tuner "
        "recover, if an earlier check left it)"
    )


def _wanted(spec: Throwaway, description: str, arn: str) -> FunctionConfig:
    return FunctionConfig(
        name=spec.name,
        arn=arn,
        region=arn.split(":")[3],
        architecture="x86_64",
        package_type="Zip",
        runtime=spec.runtime,
        memory_mb=spec.memory_mb,
        timeout_s=spec.timeout_s,
        ephemeral_storage_mb=512,
        code_sha256="",
        description=description,
    )
