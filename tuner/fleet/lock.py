"""One process at a time has a fleet: a file in its folder is locked by the kernel."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tuner.errors import FleetError
from tuner.lease.journal import is_locked, lock_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def fleet_lock(folder: Path) -> Iterator[None]:
    """Have a fleet alone; the kernel frees it however the process ends.

    Raises FleetError while another process has it.
    """
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FleetError(f"{folder} can't be written: {error.strerror}") from None
    try:
        try:
            lock_file(descriptor)
        except BlockingIOError:
            raise FleetError(
                f"the fleet in {folder} is running already: see tuner fleet status {folder}"
            ) from None
        yield
    finally:
        os.close(descriptor)


def is_running(folder: Path) -> bool:
    """Whether a process has the fleet at this moment."""
    try:
        return is_locked(folder / "lock")
    except FileNotFoundError:
        return False
    except OSError:
        return True
