"""Whether an alias can be shifted: what stands in the way is refused with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.errors import InputError, UsageError
from tuner.lease.restore import differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.function import Alias, FunctionConfig, Routing

LATEST = "$LATEST"
_OF_A_VERSION = frozenset(("arn", "description", "memory_mb", "version"))
"""What may differ between $LATEST and the version that the alias routes to."""


def choose_alias(function: str, aliases: Sequence[Alias], asked: str | None) -> str:
    """The alias to shift: the one asked for, or the only one. Raises UsageError, InputError."""
    names = [alias.name for alias in aliases]
    if asked is not None:
        if asked not in names:
            known = f"it has {', '.join(sorted(names))}" if names else "it has none"
            raise InputError(f"{function} has no alias {asked} ({known}): check `alias`")
        return asked
    if not names:
        raise InputError(
            f"{function} has no alias, and only an alias's invocations can be shifted by steps: "
            "make one and send the traffic to it (in SAM AutoPublishAlias), or set $LATEST under "
            "traffic with `unqualified`"
        )
    if len(names) > 1:
        raise UsageError(
            f"{function} has several aliases ({', '.join(sorted(names))}): give `alias`, the one "
            "that the traffic goes to"
        )
    return names[0]


def check_routing(function: str, routing: Routing) -> None:
    """Raise InputError for an alias that can't be shifted."""
    if routing.weights:
        raise InputError(
            f"{function}: the alias {routing.alias} is being shifted already (it routes to "
            f"{routing.describe()}), by a deployment or another rollout: wait for it to end, or "
            f"set it to one version (aws lambda update-alias --function-name {function} --name "
            f"{routing.alias} --routing-config AdditionalVersionWeights={{}})"
        )
    if routing.version == LATEST:
        raise InputError(
            f"{function}: the alias {routing.alias} points at $LATEST, whose invocations can't be "
            "shared: publish a version and point the alias at it (in SAM AutoPublishAlias), or set "
            "$LATEST under traffic with `unqualified`"
        )


def check_same(latest: FunctionConfig, version: FunctionConfig, alias: str) -> None:
    """Raise InputError unless $LATEST is what the alias's version is, but for its memory.

    A new version is published from $LATEST: whatever else differs there would be rolled out too.
    """
    others = sorted(set(differences(latest, version)) - _OF_A_VERSION)
    if others:
        raise InputError(
            f"{latest.name}: $LATEST differs from version {version.version} of the alias {alias} "
            f"in {', '.join(others)}, which would be rolled out with the memory: deploy it first"
        )


def check_provisioned(function: str, alias: str, count: int | None) -> None:
    """Raise InputError if environments are provisioned for the alias."""
    if count:
        raise InputError(
            f"{function}: the alias {alias} has provisioned concurrency ({count}), and Lambda "
            "doesn't share such an alias's invocations: change the size in the code (`tuner apply` "
            "without `live`), where the deployment provisions the new version first; or remove it "
            "for the rollout (aws lambda delete-provisioned-concurrency-config)"
        )


def check_code_deploy(function: str, alias: str, group: str | None) -> None:
    """Raise InputError if CodeDeploy shifts the alias (`group`)."""
    if group is not None:
        raise InputError(
            f"{function}: CodeDeploy shifts the alias {alias} ({group}): write the size into the "
            "template (`tuner apply` without `live`) and deploy; its DeploymentPreference, such as "
            "Canary10Percent10Minutes, rolls it out"
        )
