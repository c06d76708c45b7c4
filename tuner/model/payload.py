"""An event that is sent to the function."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Payload:
    """One named payload. Sweep files and reports hold its digest, never its body."""

    name: str
    body: bytes = field(repr=False)
    weight: float = 1.0

    @property
    def sha256(self) -> str:
        """Digest of the body, hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()
