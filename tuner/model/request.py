"""The request for a sweep: one value from the command line, or from Python, down to the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Required, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.model.function import Architecture
    from tuner.model.plan import Isolation

LEAVE_CONCURRENCY: Final = 0.2
"""Share of the available concurrency left to live traffic."""
NO_PRIOR: Final = "none"
"""The word for no earlier sweep, in case a configuration names one."""
AUTO_PRIOR: Final = "auto"
"""The word for a fresh observation of the function, if there is one: the default."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured: events, code and sizes."""

    payloads: tuple[str, ...] = ()
    """Files, folders, inline JSON, templates, schemas, sets, sources, or "test-events"."""
    vary: str | None = None
    """NAME=VALUE,VALUE...: measure with each value of a template's parameter."""
    payload_size: str | None = None
    """Of payloads from schemas: "p50=2kB,p99=200kB"."""
    raw: bool = False
    """Whether payloads may be other than JSON."""
    allow_outside: bool = False
    """Let payload sets use files outside their folder, and templates code outside theirs."""
    memory_sizes_mb: tuple[int, ...] = ()
    """The sizes to choose from, ascending; the current size is added for comparison."""
    min_memory_mb: int | None = None
    max_memory_mb: int | None = None
    exhaustive: bool = False
    """Measure every planned size instead of choosing as it goes."""
    seed: int = 0
    code: str | None = None
    """A ZIP file, a folder or an image: measure this build instead of the deployed code."""
    architectures: tuple[Architecture, ...] = ()
    """The architectures to choose from, each measured in a copy; empty: the function's own."""
    code_by_architecture: tuple[tuple[Architecture, str], ...] = ()
    """(architecture, what `code` may be): a build for that architecture's copy."""
    fail_on: str | None = None
    """A JMESPath expression: a reply for which it's true counts as a function error."""
    resume: str | Path | None = None
    """A sweep file, or a function's name for its newest sweep: continue it."""
    prior: str | Path | None = None
    """Like `resume`: an earlier sweep of the function, to inform the curves; or the file of an
    observation, for its traffic too; None or "auto": a fresh observation; "none": nothing."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What it may spend. None: the tool chooses."""

    max_invocations: int | None = None
    budget_usd: float | None = None
    concurrency: int | None = None
    leave_concurrency_ratio: float = LEAVE_CONCURRENCY
    """Share of the available concurrency that live traffic keeps."""


@dataclass(frozen=True, slots=True)
class Safety:
    """How it stays harmless, and commands to run around it."""

    isolation: Isolation = "auto"
    once_each: bool = False
    """Never send an event twice."""
    before: str | None = None
    """A command to run before the sweep, split into words and run without a shell."""
    after: str | None = None
    hooks_each: bool = False
    """Run both around every invocation."""
    hook_environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All variables of these commands, besides those that say what they are for."""


class Where(TypedDict, total=False):
    """Where requests go and who signs them: keywords of what connects."""

    region: Required[str | None]
    """None: the environment's or the profile's, else us-east-1 for an endpoint on loopback."""
    profile: Required[str | None]
    endpoint_url: Required[str | None]
    access_key_id: str | None
    """Replaces any credentials: the key of an endpoint that was started here."""
    role_arn: str | None
    """A role to assume with the credentials, with the first request."""
    external_id: str | None


@dataclass(frozen=True, slots=True)
class Target:
    """Where the function is: in an account, at another endpoint, or in a template."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    local_template: Path | None = None
    """A SAM template; an endpoint is started here for its functions."""
    template_parameters: Mapping[str, str] = field(default_factory=dict)
    """Values of the template's parameters."""
    template_environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values of its functions' environment variables, replacing the template's."""
    build: bool = False
    """Have pip, npm or make install what the template's functions need first."""

    @property
    def connection(self) -> Where:
        """What connects to it, if it isn't in a template."""
        return {
            "region": self.region,
            "profile": self.profile,
            "endpoint_url": self.endpoint_url,
        }


@dataclass(frozen=True, slots=True)
class Output:
    """What is kept."""

    out: Path | None = None
    """The sweep file; None: a new one in the state folder."""
    force: bool = False
    """Replace the sweep that `out` already has."""
    keep_payloads: bool = False
    """Keep the events that are sent in the sweep file."""


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """A function, and everything wanted of its sweep except the goal."""

    function: str | None
    """A name or an ARN; None: the resumed sweep's."""
    measure: Measure = field(default_factory=Measure)
    budget: Budget = field(default_factory=Budget)
    safety: Safety = field(default_factory=Safety)
    target: Target = field(default_factory=Target)
    output: Output = field(default_factory=Output)
