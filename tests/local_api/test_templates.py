"""What templates name as code is deployed: a folder, the template's own, or a ZIP."""

from __future__ import annotations

import io
import urllib.request
import zipfile
from typing import TYPE_CHECKING, Any

from tests.local_api.conftest import make_client, make_zip
from tuner.local.scripted import ScriptedExecutor
from tuner.local.serve import LocalLambda

if TYPE_CHECKING:
    from pathlib import Path

ZIPPED = """\
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Handler: app.handler, Runtime: python3.11}}
Resources:
  Packed: {Type: AWS::Serverless::Function, Properties: {CodeUri: app.zip}}
  Beside: {Type: AWS::Serverless::Function}
"""


def deployed(path: Path) -> LocalLambda:
    return LocalLambda.from_template(path, executor=ScriptedExecutor(), neighbours=False)


def package_of(client: Any, function: str) -> bytes:
    url = client.get_function(FunctionName=function)["Code"]["Location"]
    with urllib.request.urlopen(url) as reply:
        return bytes(reply.read())


def test_a_zip_is_deployed_as_it_stands_and_the_templates_folder_packed(tmp_path: Path) -> None:
    """The ZIP's own bytes; of the template's folder neither what git nor what SAM keeps there."""
    (tmp_path / "app.zip").write_bytes(make_zip())
    (tmp_path / "app.py").write_text("def handler(event, context): return 1\n")
    for hidden in (".git", ".aws-sam"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "kept").write_text("x")
    path = tmp_path / "template.yaml"
    path.write_text(ZIPPED)
    with deployed(path) as server:
        client: Any = make_client(server)
        packed, beside = (package_of(client, name) for name in ("Packed", "Beside"))
        client.close()
    assert packed == (tmp_path / "app.zip").read_bytes()
    assert sorted(zipfile.ZipFile(io.BytesIO(beside)).namelist()) == [
        "app.py",
        "app.zip",
        "template.yaml",
    ]
