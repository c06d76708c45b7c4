"""Packages as requests bring them: as base64 in the request, or from the endpoint's own S3."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Protocol

from tuner.local.control_plane.error import invalid
from tuner.local.control_plane.package import MAX_UNZIPPED_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.local.control_plane.package import Code, CodeStore


class ObjectError(Exception):
    """S3 did not give an object: its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ObjectReader(Protocol):
    """Reads objects of S3."""

    def read(self, bucket: str, key: str, version: str | None, max_bytes: int) -> bytes:
        """Give an object's bytes; raises ObjectError."""


class Uploads:
    """Reads packages into the code store. `objects` is None where there is no S3 beside Lambda."""

    def __init__(self, codes: CodeStore, objects: ObjectReader | None) -> None:
        self._codes = codes
        self._objects = objects

    def read(self, source: Mapping[str, Any]) -> Code:
        """Keep the package of a Code, or a layer's Content; raises ApiError."""
        if source.get("ImageUri"):
            raise invalid("Container images are not supported by the local Lambda: send ZipFile")
        bucket, key = source.get("S3Bucket"), source.get("S3Key")
        if bucket or key:
            return self._from_s3(bucket, key, source.get("S3ObjectVersion"))
        encoded = source.get("ZipFile")
        if not isinstance(encoded, str) or not encoded:
            raise invalid("Please provide a source for function code.")
        try:
            return self._codes.add(base64.b64decode(encoded, validate=True))
        except binascii.Error:
            raise invalid("ZipFile is not base64") from None

    def _from_s3(self, bucket: Any, key: Any, version: Any) -> Code:
        if not (isinstance(bucket, str) and isinstance(key, str) and bucket and key):
            raise invalid("Please provide both S3Bucket and S3Key for the function code.")
        if self._objects is None:
            raise invalid("This endpoint was started without S3: send the package as ZipFile")
        try:
            package = self._objects.read(bucket, key, version or None, MAX_UNZIPPED_BYTES)
        except ObjectError as error:
            raise invalid(
                f"Error occurred while GetObject. S3 Error Code: {error.code}. "
                f"S3 Error Message: {error.message}"
            ) from None
        return self._codes.add(package, max_bytes=MAX_UNZIPPED_BYTES)
