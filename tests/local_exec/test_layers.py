"""What layers bring is found where Lambda's variables lead: modules, libraries, commands."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import seen_folder
from tuner.local.execution.host import can_hide_tmp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_exec.conftest import Bench, Call


def write(folder: Path, files: dict[str, str]) -> Path:
    """Executable files below a folder, by their paths."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
        (folder / name).chmod(0o755)
    return folder


IN_OPT = sys.base_prefix.startswith("/opt/") or sys.prefix.startswith("/opt/")
PYTHON = """\
import os, subprocess, shared, deep

def handler(event, context):
    tool = subprocess.run(["tool"], capture_output=True, text=True, check=True).stdout
    return [shared.NAME, deep.NAME, tool.strip(), os.environ["LD_LIBRARY_PATH"]]
"""
NODE = """\
const { name } = require("shared");
exports.handler = async () => [name, require("only").name];
"""


def call(bench: Bench, code: Path, opt: Path, runtime: str) -> Call:
    return bench.call(
        "main.handler", code_dir=code, opt_dir=opt, runtime=runtime, deployment_id=str(code)
    )


def test_python_finds_modules_commands_and_libraries(any_bench: Bench, tmp_path: Path) -> None:
    """python/, its site-packages, bin/ and lib/; the function's own module wins over a layer's."""
    files = {
        "python/shared.py": "NAME = 'layer'",
        "python/main.py": "raise RuntimeError('the layer came first')",
        "python/lib/python3.11/site-packages/deep.py": "NAME = 'site'",
        "bin/tool": "#!/bin/sh\necho a tool\n",
    }
    opt = write(tmp_path / "opt", files)
    code = write(tmp_path / "code", {"main.py": PYTHON})
    found = call(any_bench, code, opt, "python3.11")
    task, layers = seen_folder(code), "/opt" if can_hide_tmp() and not IN_OPT else opt
    system = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib"
    libraries = f"{system}:{task}:{task}/lib:{layers}/lib"
    assert found.value == ["layer", "site", "a tool", libraries]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on PATH")
def test_node_finds_modules(any_bench: Bench, tmp_path: Path) -> None:
    """nodejs/node_modules and that of the version; the function's own come first."""
    files = {
        "nodejs/node_modules/shared/index.js": "exports.name = 'layer';",
        "nodejs/node20/node_modules/only/index.js": "exports.name = 'for 20';",
    }
    opt = write(tmp_path / "opt", files)
    code = write(tmp_path / "code", {"main.js": NODE})
    assert call(any_bench, code, opt, "nodejs20.x").value == ["layer", "for 20"]
    own = {"main.js": NODE, "node_modules/shared/index.js": "exports.name = 'own';"}
    code = write(tmp_path / "own", own)
    assert call(any_bench, code, opt, "nodejs20.x").value == ["own", "for 20"]


def test_a_handler_may_be_a_layers(any_bench: Bench, tmp_path: Path) -> None:
    """A module that is in no package but in a layer can be the handler's."""
    source = "def handler(event, context):\n    return 1\n"
    opt = write(tmp_path / "opt", {"python/main.py": source})
    code = write(tmp_path / "code", {"other.py": ""})
    assert call(any_bench, code, opt, "python3.11").value == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on PATH")
def test_a_layer_may_bring_the_runtime(any_bench: Bench, tmp_path: Path) -> None:
    """Lambda looks for `bootstrap` in the package, then in the layers."""
    from tests.local_exec.test_provided import SCRIPT, bootstrap

    opt = bootstrap(tmp_path / "opt", SCRIPT)
    code = write(tmp_path / "code", {"data.txt": ""})
    assert call(any_bench, code, opt, "provided.al2023").value == {"event": None}


def test_an_extension_within_the_runtime_is_refused(any_bench: Bench, tmp_path: Path) -> None:
    """A library that registers as an extension hears in a line that it cannot."""
    source = """\
import os, urllib.error, urllib.request

def handler(event, context):
    api = os.environ["AWS_LAMBDA_RUNTIME_API"]
    request = urllib.request.Request(
        f"http://{api}/2020-01-01/extension/register", b"{}", {"Lambda-Extension-Name": "x"})
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]
"""
    code = write(tmp_path / "code", {"main.py": source})
    status, body = any_bench.call("main.handler", code_dir=code).value
    assert status == 403
    assert "extensions can't be run by the local Lambda" in body
