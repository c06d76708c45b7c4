"""What it takes to move a function to another architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.recommendation import Choice
    from tuner.model.sweep import Sweep


def switch_findings(sweep: Sweep, choice: Choice) -> Iterator[Finding]:
    """What to do besides setting the memory, if the answer is on another architecture."""
    function, other = sweep.function, choice.architecture
    if choice.memory_mb is None or other is None or other == function.architecture:
        return
    declared = (
        f"set the architecture to {other} where the function is declared (SAM and CloudFormation: "
        f"Architectures: [{other}]; Terraform: architectures; Serverless: architecture; CDK: "
        "architecture)"
    )
    steps = [declared, _code(sweep, other)]
    settings = {name for name, _digest in function.settings}
    if "Layers" in settings:
        steps.append(f"check that each layer is for {other}, or replace it")
    if "SigningProfileVersionArn" in settings:
        steps.append("sign the new package: the deployed one is signed")
    runs = f"; {function.runtime} runs on both" if function.runtime else ""
    yield Finding(
        "switch_architecture",
        "warning",
        f"Moving to {other} takes a deployment: {'; '.join(steps)}{runs}. Deploy memory and "
        "architecture in one update, through an alias if it has traffic: a change of memory alone "
        "doesn't change the architecture",
    )


def _code(sweep: Sweep, other: str) -> str:
    """What code goes with it."""
    digest = sweep.plan.other_code_sha256
    if digest is not None:
        return f"deploy the build that was measured there (SHA-256 {digest})"
    if sweep.function.package_type == "Image":
        return f"deploy the image for {other} that was measured"
    return (
        f"the measured package is the same on both, so no rebuild is needed; build it for {other} "
        "from the day when it has native dependencies"
    )
