"""What the Lambda platform allows, and how it turns memory into CPU.

Sources: AWS's developer guide (quotas; "Configure Lambda function memory": 1,769 MB is one vCPU)
and measurements of the visible core count.
"""

from __future__ import annotations

from typing import Final

MIN_MEMORY_MB: Final = 128
MAX_MEMORY_MB: Final = 10_240
MB_PER_VCPU: Final = 1_769
MAX_TIMEOUT_S: Final = 1_800
"""botocore from 1.44.7 on (AWS's guide still says 900)."""
MIN_EPHEMERAL_STORAGE_MB: Final = 512
MAX_EPHEMERAL_STORAGE_MB: Final = 10_240
MAX_SYNC_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
LOG_TAIL_BYTES: Final = 4096
QUOTA_WINDOW_MS: Final = 20

HOURS_PER_MONTH: Final = 730
"""As on AWS's pricing pages and in its calculator."""
SECONDS_PER_MONTH: Final = HOURS_PER_MONTH * 3600

CORE_THRESHOLDS_MB: Final = ((3_009, 3), (5_308, 4), (7_077, 5), (8_846, 6))
"""(first memory size, cores visible to the code from there on); below, two cores are visible."""


def vcpu_share(memory_mb: int) -> float:
    """CPU credit in vCPUs at a memory size: linear, 1,769 MB = 1."""
    return memory_mb / MB_PER_VCPU


def visible_core_count(memory_mb: int) -> int:
    """Cores that the code sees (and can run on at once) at a memory size."""
    return max(
        (cores for first_mb, cores in CORE_THRESHOLDS_MB if memory_mb >= first_mb), default=2
    )
