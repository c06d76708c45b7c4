"""Layers: published, found and deleted as on Lambda, and laid over one another for a function."""

from __future__ import annotations

import io
import urllib.request
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import ROLE, code_of, make_zip
from tests.scripted_executor import ScriptedExecutor
from tuner.iac import TemplateLayer
from tuner.local import FunctionDefinition
from tuner.local.control_plane import layers, package

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.local import Deployment, LocalLambda

PREFIX = "arn:aws:lambda:us-east-1:123456789012:layer"


def pack(**files: str) -> bytes:
    """A ZIP; __ in a name stands for a folder's end."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def publish(client: Any, name: str = "tools", **files: str) -> str:
    content = {"ZipFile": pack(**(files or {"python__tools.py": "x = 1"}))}
    arn: str = client.publish_layer_version(LayerName=name, Content=content)["LayerVersionArn"]
    return arn


def create(client: Any, name: str = "made", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="handler.handler", Role=ROLE,
        Code={"ZipFile": make_zip()}, **more,
    )  # fmt: skip
    return made


def test_versions_are_published_found_listed_and_deleted(client: Any) -> None:
    """Numbers rise and are never given twice; what is deleted is not found any more."""
    sent = pack(python__a="1")
    first = client.publish_layer_version(
        LayerName="tools", Description="first", LicenseInfo="MIT", Content={"ZipFile": sent},
        CompatibleRuntimes=["python3.11"], CompatibleArchitectures=["x86_64"],
    )  # fmt: skip
    assert (first["LayerVersionArn"], first["Version"]) == (f"{PREFIX}:tools:1", 1)
    assert (first["LayerArn"], first["Description"]) == (f"{PREFIX}:tools", "first")
    assert first["Content"]["CodeSize"] == len(sent)
    with urllib.request.urlopen(first["Content"]["Location"]) as answer:
        assert answer.read() == sent
    assert publish(client) == f"{PREFIX}:tools:2"
    assert publish(client, "other") == f"{PREFIX}:other:1"
    found = client.get_layer_version(LayerName="tools", VersionNumber=1)
    by_arn = client.get_layer_version_by_arn(Arn=f"{PREFIX}:tools:1")
    for each in (found, by_arn):
        assert (each["LicenseInfo"], each["CompatibleRuntimes"]) == ("MIT", ["python3.11"])
    listed = client.list_layer_versions(LayerName="tools")["LayerVersions"]
    assert [each["Version"] for each in listed] == [2, 1]
    every = client.list_layers()["Layers"]
    assert [(e["LayerName"], e["LatestMatchingVersion"]["Version"]) for e in every] == [
        ("other", 1),
        ("tools", 2),
    ]
    [for_python] = client.list_layers(CompatibleRuntime="python3.11")["Layers"]
    assert for_python["LatestMatchingVersion"]["Version"] == 1
    client.delete_layer_version(LayerName="tools", VersionNumber=2)
    client.delete_layer_version(LayerName="tools", VersionNumber=2)
    assert publish(client) == f"{PREFIX}:tools:3"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_layer_version(LayerName="tools", VersionNumber=2)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_layer_version_by_arn(Arn=f"{PREFIX}:tools:2")


def test_pages_of_versions(client: Any) -> None:
    """Lists are paged as Lambda's are."""
    for _ in range(3):
        publish(client)
    pages = client.get_paginator("list_layer_versions").paginate(
        LayerName="tools", PaginationConfig={"PageSize": 2}
    )
    assert [[v["Version"] for v in page["LayerVersions"]] for page in pages] == [[3, 2], [1]]


def test_a_function_has_its_layers_in_order(
    serve: Callable[..., tuple[Any, LocalLambda]],
) -> None:
    """Settings and versions name them, later files win, and no layers can be set again."""
    seen: list[Deployment] = []

    def keep(deployment: Deployment, _: Any) -> bytes:
        seen.append(deployment)
        return b"null"

    client, _ = serve(executor=ScriptedExecutor(1.0, time_scale=0, response=keep))
    below = publish(client, "below", python__one="below", python__two="below", bin__x="below")
    above = publish(client, "above", python__two="above")
    made = create(client, Layers=[below, above], Publish=True)
    assert [layer["Arn"] for layer in made["Layers"]] == [below, above]
    assert all(layer["CodeSize"] > 0 for layer in made["Layers"])
    client.delete_layer_version(LayerName="above", VersionNumber=1)
    client.invoke(FunctionName="made")
    opt = seen[-1].opt_dir
    assert opt is not None
    assert (opt / "python/one").read_text() == "below"
    assert (opt / "python/two").read_text() == "above"
    kept = client.update_function_configuration(FunctionName="made", MemorySize=256)
    assert len(kept["Layers"]) == 2
    bare = client.update_function_configuration(FunctionName="made", Layers=[])
    assert "Layers" not in bare
    client.invoke(FunctionName="made")
    assert seen[-1].opt_dir is None
    assert len(client.get_function_configuration(FunctionName="made:1")["Layers"]) == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([f"{PREFIX}:none:1"], "none:1 does not exist"),
        (["arn:aws:lambda:us-east-1:017000801446:layer:AWSPowertools:5"], "publish their files"),
        ([f"{PREFIX}:tools:1"] * 2, "same function. .*:tools:1 and .*:tools:1 are versions of the"),
        ([f"{PREFIX}:tools:1".replace("us-east-1", "eu-west-1")], "expected to be in region us-ea"),
        ([f"{PREFIX}:tools:{n}" for n in range(6)], "more than 5 layers"),
        ([f"{PREFIX}:watcher:1"], "layer watcher brings the extension agent, and extensions can"),
    ],
)
def test_layers_that_cannot_be_used(client: Any, given: list[str], words: str) -> None:
    """What is not here, too much, or an extension is refused in a line; nothing is changed."""
    publish(client)
    publish(client, "watcher", extensions__agent="#!/bin/sh")
    with pytest.raises(ClientError, match=words) as refused:
        client.update_function_configuration(FunctionName="hello", Layers=given)
    assert code_of(refused) == "InvalidParameterValueException"
    assert "Layers" not in client.get_function_configuration(FunctionName="hello")


def test_code_and_layers_together_have_a_limit(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fits alone may be too much together."""
    arn = publish(client, python__big="x" * 600)
    monkeypatch.setattr(layers, "MAX_UNZIPPED_BYTES", 610)
    with pytest.raises(ClientError, match="combined with layers exceeds the maximum"):
        create(client, Layers=[arn])
    assert package.MAX_UNZIPPED_BYTES == 250 * 1024 * 1024


def test_a_templates_layers_are_deployed(
    serve: Callable[..., tuple[Any, LocalLambda]], tmp_path: Path
) -> None:
    """A folder becomes version 1 of a layer, once for all functions that have it."""
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "shared.py").write_text("x = 1")
    functions = [
        FunctionDefinition(name, layers=(TemplateLayer("", "shared", tmp_path, 1),))
        for name in ("one", "two")
    ]
    client, server = serve(functions=functions)
    for name in ("one", "two"):
        read = client.get_function_configuration(FunctionName=name)
        assert [layer["Arn"] for layer in read["Layers"]] == [f"{PREFIX}:shared:1"]
    assert len(client.list_layers()["Layers"]) == 1
    assert server.findings == ()
