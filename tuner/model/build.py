"""Another build of a function, to be measured in place of the deployed one."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Build:
    """A ZIP package or the URI of a container image; exactly one of the two."""

    package: bytes | None = field(default=None, repr=False)
    image_uri: str | None = None

    @property
    def code_sha256(self) -> str | None:
        """The package's digest as Lambda gives it; an image's is known once Lambda has read it."""
        if self.package is None:
            return None
        return base64.b64encode(hashlib.sha256(self.package).digest()).decode()
