"""Where sweeps and journals are kept."""

from __future__ import annotations

import os
from pathlib import Path

from tuner.sweep.store import default_state_dir


def state_dir() -> Path:
    """TUNER_STATE_DIR, else the user's state folder."""
    given = os.environ.get("TUNER_STATE_DIR")
    return Path(given) if given else default_state_dir()
