"""Reads a function's code: its package and its layers', by the links that Lambda gives."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from tuner.aws.connection_errors import Request
from tuner.aws.reader import LambdaReader
from tuner.aws.service_errors import REFUSALS, refused
from tuner.errors import AwsError, CredentialsError
from tuner.model.function import FunctionCode, LayerCode

if TYPE_CHECKING:
    from tuner.aws.function_ref import FunctionRef

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: a package that is sent
# with the request, as a copy's is, has 50 MB at most.
MAX_ZIPPED_BYTES: Final = 50 * 1024 * 1024
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html
_MANIFESTS: Final = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
_INDEXES: Final = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
_IMAGE: Final = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/"
    r"(?P<name>[a-z0-9._/-]+)(?::(?P<tag>[\w][\w.-]*))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_CHUNK_BYTES: Final = 1024 * 1024
_DOWNLOAD_TIMEOUT_S: Final = 60


class FunctionCodeReader(LambdaReader):
    """The part of the gateway that reads code."""

    def read_code(self, function: str, *, with_package: bool = True) -> FunctionCode:
        """The package (None for an image, and without `with_package`) and the layers.

        A layer that may not be read has no package. Raises AwsError.
        """
        source = self.resolve(function)
        answer = self._control.ask(Request("GetFunction", source), FunctionName=source.target)
        configuration = answer["Configuration"]
        package = None
        if with_package and configuration.get("PackageType") != "Image":
            package = self.download(source, str(answer.get("Code", {}).get("Location", "")))
        arns = [layer["Arn"] for layer in configuration.get("Layers") or ()]
        return FunctionCode(package, tuple(self._layer(source, arn) for arn in arns))

    def _layer(self, function: FunctionRef, arn: str) -> LayerCode:
        architectures: tuple[str, ...] = ()
        try:
            answer = self._control.ask(Request("GetLayerVersionByArn", function), Arn=arn)
            architectures = tuple(answer.get("CompatibleArchitectures") or ())
            location = str(answer.get("Content", {}).get("Location", ""))
            return LayerCode(arn, architectures, self.download(function, location))
        except CredentialsError:
            raise
        except AwsError:
            return LayerCode(arn, architectures)

    def image_architectures(self, function: str, uri: str) -> tuple[str, ...]:
        """The architectures of an image in ECR, in Lambda's words; several for an image index.

        Empty if it may not be read. Raises CredentialsError.
        """
        reference, image = self.resolve(function), _IMAGE.fullmatch(uri)
        if image is None:
            return ()
        request = Request("BatchGetImage", reference)
        place = {"registryId": image["account"], "repositoryName": image["name"]}
        found = (
            {"imageDigest": image["digest"]}
            if image["digest"]
            else {"imageTag": image["tag"] or "latest"}
        )
        try:
            with self._control.beside("ecr", request, connect_timeout=5, read_timeout=30) as ecr:
                answer = ecr.batch_get_image(
                    **place, imageIds=[found], acceptedMediaTypes=[*_MANIFESTS, *_INDEXES]
                )
                manifest = json.loads(answer["images"][0]["imageManifest"])
                if "manifests" in manifest:
                    named = (each.get("platform", {}) for each in manifest["manifests"])
                    return tuple(sorted({_in_lambda(each.get("architecture")) for each in named}))
                digest = manifest["config"]["digest"]
                where = ecr.get_download_url_for_layer(**place, layerDigest=digest)["downloadUrl"]
                config = json.loads(self.download(reference, where))
            return (_in_lambda(config.get("architecture")),)
        except CredentialsError:
            raise
        except (AwsError, IndexError, KeyError, TypeError, ValueError):
            return ()

    def download(self, function: FunctionRef, url: str) -> bytes:
        """Fetch a package from its presigned link, which must not appear in a message."""
        if urlsplit(url).scheme != "https" and not self.is_loopback:
            raise AwsError(f"Lambda gave no https link to the code of {function.name}")
        request = Request("GetFunction", function)
        http = URLLib3Session(
            timeout=_DOWNLOAD_TIMEOUT_S,
            proxies={} if self.is_loopback else get_environ_proxies(url),
        )
        with closing(http):
            try:
                answer: Any = http.send(
                    AWSRequest(method="GET", url=url, stream_output=True).prepare()
                )
                if answer.status_code != 200:
                    answer.raw.close()
                    raise AwsError(
                        f"the code of {function.name} could not be fetched "
                        f"(status {answer.status_code})"
                    )
                with closing(answer.raw):
                    return _read(function, answer)
            except REFUSALS as error:
                raise refused(error, self._session.connection, request) from None
            except HTTPError as error:
                raise AwsError(
                    f"the code of {function.name} could not be fetched ({type(error).__name__})"
                ) from None


def _read(function: FunctionRef, answer: Any) -> bytes:
    package = bytearray()
    for chunk in answer.raw.stream(_CHUNK_BYTES):
        package += chunk
        if len(package) > MAX_ZIPPED_BYTES:
            raise AwsError(
                f"the package of {function.name} is over 50 MB, more than a copy can be made "
                "from: give `isolation=version`"
            )
    if str(len(package)) != answer.headers.get("Content-Length", str(len(package))):
        raise AwsError(f"the code of {function.name} could not be fetched (it was cut off)")
    return bytes(package)


def _in_lambda(architecture: object) -> str:
    """Lambda's word for an architecture of an image (GOARCH)."""
    return "x86_64" if architecture == "amd64" else str(architecture)
