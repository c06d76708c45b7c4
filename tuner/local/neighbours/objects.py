"""Reads objects of the neighbours' S3, as Lambda reads a package from a bucket."""

from __future__ import annotations

import http.client
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from tuner.local.control_plane.package import ObjectError
from tuner.local.http.proxy import UnixConnection

if TYPE_CHECKING:
    from pathlib import Path

# moto takes any signature; its scope says that the request is S3's.
_AUTHORIZATION: Final = (
    "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


class NeighbourObjects:
    """The objects of the S3 that listens on a Unix socket."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = str(socket_path)

    def read(self, bucket: str, key: str, version: str | None, max_bytes: int) -> bytes:
        """Give an object's bytes; raises ObjectError where there is none, or it is too large."""
        query = f"?{urlencode({'versionId': version})}" if version else ""
        connection = UnixConnection(self._socket_path)
        try:
            path = f"/{quote(bucket, safe='')}/{quote(key)}{query}"
            connection.request("GET", path, headers={"Authorization": _AUTHORIZATION})
            answer = connection.getresponse()
            body = answer.read(max_bytes + 1)
        except (OSError, http.client.HTTPException):
            raise ObjectError("ServiceUnavailable", "S3 does not answer") from None
        finally:
            connection.close()
        if answer.status != 200:
            raise ObjectError(_element(body, "Code"), _element(body, "Message"))
        if len(body) > max_bytes:
            raise ObjectError("EntityTooLarge", f"the object is over {max_bytes} bytes")
        return body


def _element(body: bytes, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", body.decode("utf-8", "replace"))
    return found[1] if found else "unknown"
