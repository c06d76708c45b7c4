"""How large events are: sizes as people write them, and distributions through two percentiles."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from tuner.errors import PayloadError
from tuner.model.lambda_limits import MAX_SYNC_PAYLOAD_BYTES

_SIZE: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>b|kb|kib|mb|mib)?", re.IGNORECASE)
_BYTES: Final = {"b": 1, "kb": 1000, "kib": 1024, "mb": 1000**2, "mib": 1024**2}
_POINT: Final = re.compile(r"p(?P<percent>\d{1,2}(?:\.\d+)?)\s*=\s*(?P<size>.+)", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """`2kB`, `1.5 MB` or `300` in bytes, at most Lambda's 6 MB (6 MiB). Raises PayloadError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise PayloadError(f"{text!r} is no size: write 300, 2kB or 1.5MB")
    count = round(float(match["number"]) * _BYTES[(match["unit"] or "b").lower()])
    if not 1 <= count <= MAX_SYNC_PAYLOAD_BYTES:
        raise PayloadError(
            f"{text!r} is out of range: 1 byte to {MAX_SYNC_PAYLOAD_BYTES:,} (Lambda's limit)"
        )
    return count


@dataclass(frozen=True, slots=True)
class SizeDistribution:
    """Log-normal sizes through two points, or always one size (`sigma` 0)."""

    log_median: float
    sigma: float

    def at(self, share: float) -> int:
        """Return the size in bytes below which `share` (0 to 1, both excluded) of events lie."""
        z = NormalDist().inv_cdf(min(max(share, 1e-6), 1 - 1e-6))
        # rounded first: the last digits of exp and log are the platform's
        log_size = round(self.log_median + self.sigma * z, 9)
        return min(max(1, round(math.exp(log_size), 4).__trunc__()), MAX_SYNC_PAYLOAD_BYTES)


def parse_distribution(text: str) -> SizeDistribution:
    """`p50=2kB,p99=200kB`, or one size for all. Raises PayloadError."""
    if "=" not in text:
        return SizeDistribution(math.log(parse_bytes(text)), 0.0)
    points = sorted(_point(part) for part in text.split(","))
    if len(points) != 2 or points[0][0] == points[1][0]:
        raise PayloadError(
            f"sizes {text!r} need two different percentiles: write p50=2kB,p99=200kB"
        )
    (low_z, low), (high_z, high) = points
    if low > high:
        raise PayloadError(f"sizes {text!r} fall where they should rise: p50=2kB,p99=200kB")
    sigma = (math.log(high) - math.log(low)) / (high_z - low_z)
    return SizeDistribution(math.log(low) - sigma * low_z, sigma)


def _point(text: str) -> tuple[float, int]:
    match = _POINT.fullmatch(text.strip())
    if match is None or not 0 < float(match["percent"]) < 100:
        raise PayloadError(f"{text.strip()!r} is no percentile of sizes: write p50=2kB")
    return NormalDist().inv_cdf(float(match["percent"]) / 100), parse_bytes(match["size"])
