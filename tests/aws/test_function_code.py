"""Layers and images are read for their architecture: what may not be read says nothing."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from tests.scripted_executor import ScriptedExecutor
from tuner.aws import connect
from tuner.aws.connection_errors import Connection
from tuner.aws.session import Session
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.aws import LambdaGateway

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/thumbs:v7"
CONFIG = "sha256:" + "c" * 64


@pytest.fixture(scope="module")
def gateway() -> Iterator[LambdaGateway]:
    with (
        LocalLambda(
            [FunctionDefinition("hello")],
            executor=ScriptedExecutor(1.0, time_scale=0),
            emulated_services=False,
            update_s=0.0,
        ) as server,
        connect(region=server.region, profile=None, endpoint_url=server.endpoint_url) as opened,
    ):
        yield opened


def a_zip(name: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, "x = 1")
    return data.getvalue()


def test_the_package_and_every_layer_are_read(gateway: LambdaGateway) -> None:
    """Bytes as they were published, with what the layer says of itself; without a package if that
    isn't asked for.
    """
    client: Any = gateway._control.client
    package = a_zip("python/shared.py")
    layer = client.publish_layer_version(
        LayerName="shared",
        Content={"ZipFile": package},
        CompatibleArchitectures=["x86_64"],
    )
    arn = layer["LayerVersionArn"]
    client.update_function_configuration(FunctionName="hello", Layers=[arn])
    code = gateway.read_code("hello")
    assert code.package is not None
    assert [(each.arn, each.architectures) for each in code.layers] == [(arn, ("x86_64",))]
    assert code.layers[0].package == package
    assert gateway.read_code("hello", with_package=False).package is None
    client.delete_layer_version(LayerName="shared", VersionNumber=layer["Version"])
    [gone] = gateway.read_code("hello").layers
    assert (gone.arn, gone.package) == (arn, None)
    client.update_function_configuration(FunctionName="hello", Layers=[])


@contextmanager
def registry(
    gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch, manifest: dict[str, Any] | None
) -> Iterator[Stubber]:
    """ECR's answers for an image, at the wire; None: denied."""
    client = gateway._session.client("ecr")
    with Stubber(client) as stubber:
        place = {"registryId": "123456789012", "repositoryName": "team/thumbs"}
        if manifest is None:
            stubber.add_client_error("batch_get_image", "AccessDeniedException")
        else:
            images = [{"imageManifest": json.dumps(manifest)}]
            stubber.add_response("batch_get_image", {"images": images})
        if manifest is not None and "config" in manifest:
            stubber.add_response(
                "get_download_url_for_layer",
                {"downloadUrl": "https://layers.example/config", "layerDigest": CONFIG},
                {**place, "layerDigest": CONFIG},
            )
        monkeypatch.setattr(gateway._control, "session", _Opened(client))
        yield stubber


class _Opened:
    """A session that has one client open."""

    translating = Session.translating

    def __init__(self, client: Any) -> None:
        self._client = client
        self.connection = Connection("us-east-1", None, None)

    def client(self, *_: Any, **__: Any) -> Any:
        return self._client


def test_an_images_architecture_is_its_configurations(
    gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest names the configuration, which says amd64 or arm64."""
    for told, expected in (("amd64", "x86_64"), ("arm64", "arm64")):
        monkeypatch.setattr(
            gateway, "download", lambda *_, told=told: json.dumps({"architecture": told}).encode()
        )
        with registry(gateway, monkeypatch, {"config": {"digest": CONFIG}}) as stubber:
            assert gateway.image_architectures("hello", IMAGE) == (expected,)
            stubber.assert_no_pending_responses()


def test_an_index_has_several_and_what_is_unknown_has_none(
    gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both of an index; nothing for a name elsewhere, and for an answer in another shape."""
    index = {
        "manifests": [
            {"platform": {"architecture": "arm64"}},
            {"platform": {"architecture": "amd64"}},
        ]
    }
    with registry(gateway, monkeypatch, index):
        assert gateway.image_architectures("hello", IMAGE) == ("arm64", "x86_64")
    with registry(gateway, monkeypatch, {}):
        assert gateway.image_architectures("hello", IMAGE) == ()
    assert gateway.image_architectures("hello", "docker.io/library/python:3") == ()
