"""Comparing architectures: which ones, with which code, and what can't run on the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError, UsageError
from tuner.model.finding import Finding
from tuner.model.interval import listed
from tuner.model.payload import on_architectures
from tuner.pricing.renewal import current_price_book
from tuner.session.native_code import foreign_code, foreign_layers
from tuner.sweep.plan import check_architectures
from tuner.sweep.prepared import OtherArchitecture

if TYPE_CHECKING:
    from tuner.model.function import Architecture, Build, FunctionConfig
    from tuner.model.plan import SweepPlan
    from tuner.model.request import TuneRequest
    from tuner.pricing import LambdaPrices
    from tuner.session.inputs import Inputs, OpenTarget

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: those on the first Amazon Linux
# have no arm64.
_X86_ALONE: Final = frozenset(
    ("dotnetcore2.1", "go1.x", "java8", "nodejs10.x", "nodejs8.10", "provided", "python2.7",
     "python3.6", "python3.7", "ruby2.5")
)  # fmt: skip


def with_architectures(
    inputs: Inputs, target: OpenTarget, config: FunctionConfig
) -> tuple[Inputs, list[Finding]]:
    """The inputs with every payload for each architecture, if two are compared; in copies.

    Raises UsageError on a local Lambda, InputError if the code can't run on the other architecture.
    """
    request = _with_earlier(inputs)
    asked = {*request.measure.architectures}
    inputs = replace(inputs, request=request)
    if not asked:
        return inputs, []
    check_architectures(request)
    if host := target.host_architecture:
        refuse_elsewhere(request, config, host)
    others = sorted(asked - {config.architecture})
    builds = dict(inputs.builds)
    inputs = replace(inputs, build=builds.get(config.architecture) or inputs.build)
    if not others:
        return inputs, []
    [architecture] = others
    build = builds.get(architecture) or inputs.build
    findings = _checked(inputs, target, config, architecture)
    prices = current_price_book().lambda_prices(config.region, architecture)
    inputs = replace(
        inputs,
        other=OtherArchitecture(architecture, prices, build),
        payloads=tuple(on_architectures(inputs.payloads, config.architecture, (architecture,))),
    )
    return inputs.isolated("clone"), [*findings, _measured(config, architecture, build)]


def _with_earlier(inputs: Inputs) -> TuneRequest:
    """The request with the architectures of the resumed sweep, which go on. Raises InputError for
    others, and for another build.
    """
    request, earlier = inputs.request, inputs.earlier
    if earlier is None:
        return request
    was = tuple(dict.fromkeys(e.architecture for e in earlier.plan.payloads if e.architecture))
    asked = request.measure.architectures
    sweep_id = earlier.plan.sweep_id
    if asked and {*asked} | {earlier.function.architecture} != {*was}:
        measured = " and ".join(was) or earlier.function.architecture
        raise InputError(f"{sweep_id} measured {measured}: to resume it, leave `architectures` out")
    builds = dict(inputs.builds)
    digests = {builds[kind].code_sha256 for kind in was if kind in builds} or {None}
    if was and earlier.plan.other_code_sha256 not in {*digests, inputs.build_sha256}:
        raise InputError(
            f"{sweep_id} measured another build on one architecture (SHA-256 "
            f"{earlier.plan.other_code_sha256}): give it again with `code`, or leave `resume` out"
        )
    return replace(request, measure=replace(request.measure, architectures=was))


def _checked(
    inputs: Inputs, target: OpenTarget, config: FunctionConfig, other: Architecture
) -> list[Finding]:
    """What may not run on the other architecture. Raises InputError for what surely doesn't."""
    if other == "arm64" and config.runtime in _X86_ALONE:
        raise InputError(
            f"{config.name} can't run on arm64: the runtime {config.runtime} has x86_64 alone; "
            "move to a newer runtime first"
        )
    builds = dict(inputs.builds)
    for kind, each in builds.items():
        if (each.image_uri is None) == (config.package_type == "Image"):
            what = "a container image" if config.package_type == "Image" else "a ZIP package"
            raise InputError(f"{config.name} is {what}: `code` for {kind} must be one too")
        _refuse_foreign(each, kind, f"the build for {kind}")
    build = builds.get(other) or inputs.build
    if config.package_type == "Image":
        if builds.get(other) is None:
            raise InputError(
                f"{config.name} is a container image, and Lambda takes none of two architectures: "
                f"name its build for {other} with `code` ({other}=IMAGE)"
            )
        return [
            finding
            for kind, each in builds.items()
            if (finding := _image_finding(inputs, target, kind, each)) is not None
        ]
    if build is not None and other not in builds:
        _refuse_foreign(build, other, "the package of `code`")
    code = target.gateway.read_code(inputs.function, with_package=build is None)
    if code.package is not None and (files := foreign_code(code.package, other)):
        raise InputError(
            f"{config.name} can't run on {other}: its package has native code for "
            f"{config.architecture} ({listed(files)}). Build it for {other} and name the result "
            f"with `code` ({other}=ZIP)"
        )
    return foreign_layers(config.name, code.layers, other, has_build=other in builds)


def _image_finding(
    inputs: Inputs, target: OpenTarget, wanted: Architecture, build: Build
) -> Finding | None:
    """Say that an image couldn't be looked at. Raises InputError for one of another architecture,
    and for an index of several, which Lambda doesn't take.
    """
    assert build.image_uri is not None
    kinds = target.gateway.image_architectures(inputs.function, build.image_uri)
    if not kinds:
        return Finding(
            "image_not_read",
            "warning",
            f"The image {build.image_uri} couldn't be looked at, so nothing says that it's for "
            f"{wanted}: allow ecr:BatchGetImage and ecr:GetDownloadUrlForLayer to have it checked.",
        )
    if kinds != (wanted,):
        what = "is for" if len(kinds) == 1 else "is an index, which Lambda doesn't take, of"
        raise InputError(
            f"the image {build.image_uri} {what} {', '.join(kinds)}: name one for {wanted} alone "
            f"with `code` ({wanted}=IMAGE)"
        )
    return None


def _refuse_foreign(build: Build, architecture: Architecture, what: str) -> None:
    if build.package is None:
        return
    if files := foreign_code(build.package, architecture):
        raise InputError(
            f"{what} can't run on {architecture}: it has native code for the other architecture "
            f"({listed(files)}). Build it for {architecture} and name the result with `code` "
            f"({architecture}=ZIP)"
        )


def _measured(config: FunctionConfig, other: Architecture, build: Build | None) -> Finding:
    what = "the same package, which has no native code for one architecture alone"
    if build is not None:
        digest = build.code_sha256
        what = f"the build of `code` ({build.image_uri if digest is None else f'SHA-256 {digest}'})"
    return Finding(
        "architectures_compared",
        "info",
        f"Measured {config.architecture} and {other}, each in a copy; on {other} it ran {what}.",
    )


def refuse_elsewhere(request: TuneRequest, function: FunctionConfig, host: str) -> None:
    """Raise UsageError if a machine of the `host` architecture would have to stand for another."""
    wanted = {*request.measure.architectures}
    if wanted and {*wanted, function.architecture} != {host}:
        raise UsageError(
            f"a local Lambda runs code on this machine's own architecture ({host}) alone, so it "
            "can't compare `architectures`: compare them in AWS, or leave `architectures` out"
        )


def dearer(prices: LambdaPrices, other: LambdaPrices) -> LambdaPrices:
    """Those of the two at which a bound on the cost holds for both."""
    return max(prices, other, key=lambda each: each.price_usd_per_ms(1024))


def with_other_code(plan: SweepPlan, other: OtherArchitecture | None) -> SweepPlan:
    """The plan with the digest of the other architecture's build, as far as it's known."""
    if other is None or other.build is None:
        return plan
    return replace(plan, other_code_sha256=other.build.code_sha256)
