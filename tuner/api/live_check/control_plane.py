"""Probes of the control plane: updates, stale reads, publishing, revisions, weighted aliases."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any, Final

from tuner.api.live_check.probing import SETTLE_LIMIT_S, is_under_way
from tuner.errors import AwsError, FunctionNotFoundError, MemoryCapError
from tuner.lease.function_control import WAITS_S

if TYPE_CHECKING:
    from tuner.api.live_check.probing import Probing

_FRESH_READS: Final = 3
"""Reads in a row that must show an update: the next may come from a place that hasn't heard."""
_LOOK_S: Final = 0.05
_WEIGHT: Final = 0.3
_LEAST_P: Final = 0.001
"""Weights that Lambda keeps look broken in one check of a thousand."""


def check_sizes(probing: Probing) -> None:
    """Update and publish each size: how long it takes, and whether a read is behind."""
    update_ms, publish_ms, stale_ms, stale_reads, unseen = [], [], [], 0, 0
    for size in probing.plan.sizes_mb:
        probing.step(f"publishing {size} MB")
        try:
            took_ms, behind_ms, behind_reads = _update(probing, size)
        except MemoryCapError as error:
            probing.assume("sizes", f"{size} MB", str(error), holds=False)
            break
        stale_reads += behind_reads
        stale_ms += [behind_ms] if behind_reads else []
        update_ms += [took_ms]
        took_ms, unseen_reads = _publish(probing, size)
        publish_ms.append(took_ms)
        unseen += unseen_reads
    probing.figure("update_ms", statistics.median(update_ms))
    probing.figure("update_longest_ms", max(update_ms))
    probing.figure("publish_ms", statistics.median(publish_ms))
    probing.figure("stale_update_count", len(stale_ms))
    probing.figure("stale_read_count", stale_reads)
    longest_ms = max(stale_ms, default=0.0)
    probing.figure("stale_longest_ms", longest_ms)
    probing.figure("unseen_version_count", unseen)
    probing.assume(
        "a version after publishing",
        "can be read at once",
        f"{unseen} reads didn't find it" if unseen else "every read found it",
        holds=unseen == 0,
    )
    seen = "no read was behind"
    if stale_ms:
        seen = f"after {len(stale_ms)} of {len(update_ms)} updates, for up to {longest_ms:.0f} ms"
    probing.assume(
        "reads after an update",
        f"up to date within {sum(WAITS_S):.1f} s",
        seen,
        holds=longest_ms <= sum(WAITS_S) * 1000,
    )


def check_revisions(probing: Probing) -> None:
    """An old RevisionId is refused, and publishing twice makes one version."""
    probing.step("revisions and publishing again")
    name, gateway = probing.name, probing.gateway
    before = probing.settled()
    old = before.get("RevisionId")
    gateway.raw_update(name, MemorySize=before["MemorySize"], Timeout=before["Timeout"] + 1)
    moved = probing.settled().get("RevisionId")
    code = gateway.refused_update(name, MemorySize=before["MemorySize"], RevisionId=old)
    probing.figure("old_revision", code)
    probing.expect("an old RevisionId", "PreconditionFailedException", code)
    probing.assume(
        "RevisionId",
        "another one after an update",
        "another one" if moved != old else "the same",
        holds=moved not in (None, old),
    )
    gateway.raw_update(name, Timeout=before["Timeout"])
    probing.settled()
    first = gateway.raw_publish(name, "once")
    probing.settled(first["Version"])
    again = gateway.raw_publish(name, "once")
    seen = "one version" if first["Version"] == again["Version"] else "two versions"
    probing.figure("published_twice", seen)
    probing.expect("publishing twice", "one version", seen)


def check_alias(probing: Probing) -> None:
    """A weighted alias sends each version its share."""
    first, second = list(probing.versions.values())[:2]
    count = probing.plan.alias_count
    probing.step(f"{count} invocations of an alias with weights")
    probing.keep(
        "CreateAlias",
        probing.gateway.create_weighted_alias(probing.name, "split", first, {second: _WEIGHT}),
    )
    went = [probing.invoke("split", "where").reply.executed_version for _ in range(count)].count(
        second
    )
    share = went / count
    probing.figure("alias_weighted_count", went)
    chi_square = (went - count * _WEIGHT) ** 2 / (count * _WEIGHT * (1 - _WEIGHT))
    p_value = math.erfc(math.sqrt(chi_square / 2))  # one degree of freedom
    holds = p_value >= _LEAST_P
    probing.figure("alias_weights", "as set" if holds else "not as set")
    probing.assume(
        "weights of an alias",
        f"{_WEIGHT:.0%} to the second version",
        f"{share:.0%} of {count} (p = {p_value:.2g})",
        holds=holds,
    )


def _update(probing: Probing, size: int) -> tuple[float, float, int]:
    """Set the memory; return how long it took, how long reads were behind and how many were."""
    revision = probing.settled().get("RevisionId")
    given: dict[str, Any] = {"MemorySize": size} | ({"RevisionId": revision} if revision else {})
    begin = probing.clock()
    answer = probing.gateway.raw_update(probing.name, **given)
    if size == probing.plan.sizes_mb[0]:
        probing.keep("UpdateFunctionConfiguration", answer)
    took_ms: float | None = None
    behind_ms, behind_reads, fresh_reads = 0.0, 0, 0
    while fresh_reads < _FRESH_READS:
        raw = probing.gateway.raw_function(probing.name)
        now_ms = (probing.clock() - begin) * 1000
        if raw["MemorySize"] != size:
            behind_ms, behind_reads, fresh_reads = now_ms, behind_reads + 1, 0
        elif is_under_way(raw):
            fresh_reads = 0
        else:
            took_ms = now_ms if took_ms is None else took_ms
            fresh_reads += 1
        if now_ms > SETTLE_LIMIT_S * 1000:
            raise AwsError(f"the update of {probing.name} isn't done after {SETTLE_LIMIT_S:.0f} s")
        probing.sleep(_LOOK_S)
    assert took_ms is not None
    return took_ms, behind_ms, behind_reads


def _publish(probing: Probing, size: int) -> tuple[float, int]:
    """Publish a size; return how long it took until its version can be invoked, and how many reads
    didn't find it.
    """
    begin = probing.clock()
    answer = probing.gateway.raw_publish(probing.name, f"live check {size} MB")
    version = probing.versions[size] = answer["Version"]
    if size == probing.plan.sizes_mb[0]:
        probing.keep("PublishVersion", answer)
        states = (answer.get("State"), answer.get("LastUpdateStatus"))
        seen = " and ".join(str(each) for each in states)
        probing.figure("published_state", seen)
        probing.assume(
            "a published version",
            "Active and Successful at once",
            seen,
            holds=states == ("Active", "Successful"),
        )
    unseen = _wait_for_version(probing, version)
    return (probing.clock() - begin) * 1000, unseen


def _wait_for_version(probing: Probing, version: str) -> int:
    """Read a version until it's ready; return how often it wasn't there yet."""
    unseen, begin = 0, probing.clock()
    while True:
        try:
            probing.settled(version)
        except FunctionNotFoundError:
            if probing.clock() - begin > SETTLE_LIMIT_S:
                raise
            unseen += 1
            probing.sleep(_LOOK_S)
        else:
            return unseen
