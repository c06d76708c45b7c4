"""A process that opens a lease, publishes a size and kills itself while $LATEST is changed.

What it needs comes as JSON on standard input: an access key isn't for every process to see.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.aws import connect
from tuner.lease.journal import LeaseTerms
from tuner.lease.lease import open_lease
from tuner.model.progress import VersionPublished

if TYPE_CHECKING:
    from tuner.model.progress import ProgressEvent


def main() -> None:
    """Sweep until the kill. Ends by itself only if something fails."""
    said = json.load(sys.stdin)
    with connect(
        region=said["region"],
        profile=said["profile"],
        endpoint_url=said["endpoint_url"],
        access_key_id=said["access_key_id"],
    ) as gateway:
        terms = LeaseTerms(
            said["sweep_id"],
            Path(said["state_dir"]),
            gateway.endpoint_url,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with open_lease(
            gateway.read_function(said["function"]),
            terms,
            control=gateway,
            sleep=time.sleep,
            on_progress=_kill_once_published,
        ) as lease:
            lease.publish([said["memory_mb"]])


def _kill_once_published(event: ProgressEvent) -> None:
    if isinstance(event, VersionPublished):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
