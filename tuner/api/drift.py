"""Code, deployment and recommendation: which of them disagree about a function's memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.request import Target

State = Literal["same", "to_apply", "to_deploy", "changed_outside", "unknown"]


@dataclass(frozen=True, slots=True)
class Drift:
    """A function's memory in the three places, in MB; None where it isn't known."""

    function: str
    path: Path | None
    line: int | None
    code_mb: int | None
    deployed_mb: int | None
    recommended_mb: int

    @property
    def state(self) -> State:
        """What is to be done, if anything."""
        if self.code_mb is None or self.deployed_mb is None:
            return "unknown"
        if self.code_mb == self.deployed_mb:
            return "same" if self.code_mb == self.recommended_mb else "to_apply"
        return "to_deploy" if self.code_mb == self.recommended_mb else "changed_outside"

    @property
    def meaning(self) -> str:
        """The state in words."""
        return {
            "same": "nothing to do",
            "to_apply": "apply it and deploy",
            "to_deploy": "the code is ahead: deploy it",
            "changed_outside": "the code is not what is deployed, so the next deployment changes "
            "it: deploy the code first, or correct it",
            "unknown": "",
        }[self.state]

    def to_json(self) -> dict[str, Any]:
        """As an entry of `drift` in `tuner apply --json`."""
        path = None if self.path is None else str(self.path)
        return {**asdict(self), "path": path, "state": self.state}


def deployed_memory_mb(function: str, where: Target) -> int:
    """Read what a function has now. Raises AwsError and its subclasses."""
    from tuner.aws import connect

    gateway = connect(
        region=where.region,
        profile=where.profile,
        endpoint_url=where.endpoint_url,
        function=function,
    )
    return gateway.read_function(function).memory_mb
