"""Every error that a user can meet, in one tree.

TunerError
├── InputError              what the user gave can't be used
│   ├── UsageError          options that contradict each other or make no sense
│   ├── TemplateError       an infrastructure template
│   │   └── NotInTemplateError  it has no function of that name
│   ├── PayloadError        a payload
│   └── SweepFileError      a saved sweep
├── UnknownTrafficError       it isn't known whether live traffic reaches $LATEST
├── NotAgreedError          the plan wasn't agreed to; nothing was changed
├── HookError               a user's command before or after failed
├── PriceError              no price is known for what was asked
├── ReportLineError         a REPORT line or record lacks what a measurement needs
├── AwsError                the account or its endpoint said no
│   ├── CredentialsError    none, or expired
│   ├── EndpointError       nothing answers there
│   ├── FunctionNotFoundError
│   ├── AccessDeniedError   names the IAM action that is missing
│   ├── MemoryCapError      the account allows less memory than was asked for
│   ├── ConflictError       somebody else changed the function (RevisionId)
│   ├── ThrottledError      the request ran nothing and may be sent again
│   └── LostReplyError      the request may have run: it counts as spent
├── ForgeError              GitHub or GitLab said no, or doesn't answer
│   └── ForgeReadOnlyError  the token may not comment
├── SavingGateError         a function could save more than is allowed
├── LocalError              the local Lambda can't do that on this host
├── FleetError              a fleet's folder can't be used, or another process has it
└── LeaseError              the function couldn't be leased or restored
    ├── ForeignChangeError  somebody else changed the function; nothing of theirs was touched
    └── LeftChangedError    something is left changed: `tuner recover` restores it

A message is one line: what is wrong, where, and what to do next. An option is named in it by its
parameter in Python, in backticks: `max_invocations`, or with a value `isolation=clone`. The command
line shows its flag in place of that.
"""

import re
from typing import Final

_PARAMETER: Final = re.compile(r"`([a-z_]+)(?:=[^`]*)?`")
_WORD_WITHIN: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def parameters_in(message: str) -> tuple[str, ...]:
    """The parameters that a message names in backticks, each once."""
    return tuple(dict.fromkeys(_PARAMETER.findall(message)))


class TunerError(Exception):
    """Base of all errors shown to the user as one line.

    >>> try:
    ...     tuner.Goal("speedy")
    ... except tuner.TunerError as error:
    ...     print(error)
    'speedy' isn't a goal: pass cost, balanced, speed
    """

    exit_code = 1

    @property
    def code(self) -> str:
        """The code for machines: `input_error` for an InputError."""
        return _WORD_WITHIN.sub("_", type(self).__name__).lower()

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that the message names."""
        return parameters_in(str(self))


class InputError(TunerError):
    """What the user gave can't be used."""


class UsageError(InputError):
    """Options that contradict each other or make no sense, found before anything is done."""

    exit_code = 2


class TemplateError(InputError):
    """An infrastructure template is missing, malformed or uses something unsupported."""


class NotInTemplateError(TemplateError):
    """A template has no function with this name."""


class PayloadError(InputError):
    """A payload is unreadable, not JSON, or over the limit."""


class SweepFileError(InputError):
    """A saved sweep is cut off, from a newer version, or not a sweep."""


class UnknownTrafficError(TunerError):
    """It isn't known whether live traffic reaches $LATEST; the message says what to choose."""


class NotAgreedError(TunerError):
    """The plan wasn't agreed to; nothing was changed."""


class HookError(TunerError):
    """A user's command before or after failed."""


class PriceError(TunerError):
    """No price is known for the region or architecture; the message names the known ones."""


class ReportLineError(TunerError):
    """A REPORT line or record lacks a field that a measurement needs."""


class AwsError(TunerError):
    """The account or its endpoint refused a request."""


class CredentialsError(AwsError):
    """There are no credentials, or they have expired."""


class EndpointError(AwsError):
    """The endpoint cannot be reached."""


class FunctionNotFoundError(AwsError):
    """The function, version or alias doesn't exist."""


class AccessDeniedError(AwsError):
    """The credentials lack a permission; `action` is the IAM action, if AWS named it."""

    def __init__(self, message: str, *, action: str | None = None) -> None:
        super().__init__(message)
        self.action = action


class MemoryCapError(AwsError):
    """The account allows at most `max_memory_mb` (None if AWS did not say how much)."""

    def __init__(self, message: str, *, max_memory_mb: int | None = None) -> None:
        super().__init__(message)
        self.max_memory_mb = max_memory_mb


class ConflictError(AwsError):
    """Somebody else changed the function: its RevisionId isn't the one that was read."""


class ThrottledError(AwsError):
    """A request was throttled. It ran nothing, so it may be sent again."""

    def __init__(
        self, message: str, *, reason: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after_s = retry_after_s

    @property
    def asked_wait_s(self) -> float:
        """The minimum wait that the service asks for, up to a minute; 0 if none."""
        return max(0.0, min(self.retry_after_s or 0.0, 60.0))


class LostReplyError(AwsError):
    """An invocation was sent and no reply came: the code may have run, so it counts as spent."""


class LocalError(TunerError):
    """The local Lambda can't do this on this host."""


class FleetError(TunerError):
    """A fleet's folder can't be used, or another process has it."""


class LeaseError(TunerError):
    """The function couldn't be leased for a sweep, or couldn't be restored."""


class ForeignChangeError(LeaseError):
    """Somebody else changed the function during the sweep; nothing of theirs was touched."""


class LeftChangedError(LeaseError):
    """Something is left changed in the account; `tuner recover` restores it."""

    exit_code = 4


class ForgeError(TunerError):
    """A forge (GitHub, GitLab) refused a request or doesn't answer; `status` is HTTP's."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ForgeReadOnlyError(ForgeError):
    """The token may read the pull request but not comment on it."""


class SavingGateError(TunerError):
    """A function could save more than the gate allows; the exit code is a resize's."""

    exit_code = 10


def describe_unexpected(error: Exception) -> str:
    """Type and place of an error that isn't of this tree: there's no telling what its text
    quotes.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"unexpected {type(error).__name__}{place}"
