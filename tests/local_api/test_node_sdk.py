"""Node.js code that counts on the AWS SDK, which Lambda's runtimes bring along."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.scripted_executor import ScriptedExecutor
from tuner.iac import TemplateLayer
from tuner.local import FunctionDefinition, LocalLambda
from tuner.local.build import Builder
from tuner.local.template_report import missing_sdk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

S3 = "@aws-sdk/client-s3"
CODE = f"const {{ S3Client }} = require('{S3}');\nexports.handler = async () => 1;\n"


def function(folder: Path | None, **more: object) -> FunctionDefinition:
    """A Node.js function; `more` are its other settings."""
    return FunctionDefinition(
        "f", code_dir=folder, runtime="nodejs22.x", handler="index.handler", **more
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("file", "source", "named"),
    [
        ("index.js", CODE, (S3,)),
        ("index.mjs", "import{SQS}from'@aws-sdk/client-sqs'", ("@aws-sdk/client-sqs",)),
        ("lib/a.ts", 'import type { X } from "@smithy/types/dist";', ("@smithy/types",)),
        ("index.cjs", 'await import("@aws-sdk/lib-storage");', ("@aws-sdk/lib-storage",)),
        ("index.js", "var AWS = require('aws-sdk/clients/s3')", ("aws-sdk",)),
        ("index.js", "require('aws-sdk-mock'); require('@aws-sdkx/y'); // '@aws-sdk/z'", ()),
        ("index.js", "require('./local')", ()),
        ("node_modules/other/index.js", CODE, ()),
        ("notes.txt", CODE, ()),
    ],
)  # fmt: skip
def test_what_is_used_is_found(
    tmp_path: Path, file: str, source: str, named: tuple[str, ...]
) -> None:
    """Every way to import a package of the SDK counts; other packages and folders do not."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(source)
    assert missing_sdk(function(tmp_path)) == named


def test_what_is_there_or_declared_is_not_missing(tmp_path: Path) -> None:
    """A dependency, installed, of a layer: all count; one for development keeps its version."""
    code, layer = tmp_path / "code", tmp_path / "layer"
    code.mkdir()
    (code / "index.js").write_text(CODE)
    assert missing_sdk(function(None, inline_code=CODE)) == (S3,)
    (layer / "nodejs" / "node_modules" / S3).mkdir(parents=True)
    assert missing_sdk(function(code, layers=(TemplateLayer("", "l", layer, 1),))) == ()
    (code / "package.json").write_text(json.dumps({"devDependencies": {S3: "^3.1.0"}}))
    assert missing_sdk(function(code)) == (f"{S3}@^3.1.0",)
    (code / "package.json").write_text(json.dumps({"dependencies": {S3: "^3.1.0"}}))
    assert missing_sdk(function(code)) == ()
    (code / "package.json").unlink()
    (code / "node_modules" / S3).mkdir(parents=True)
    assert missing_sdk(function(code)) == ()


def test_it_is_said_before_the_run(tmp_path: Path) -> None:
    """Without --build a finding names the packages and what to do."""
    (tmp_path / "index.js").write_text(CODE)
    with LocalLambda(
        [function(tmp_path)], executor=ScriptedExecutor(), emulated_services=False
    ) as server:
        [finding] = server.findings
    assert finding.code == "sdk_not_installed"
    assert f"f uses {S3}, which Lambda includes" in finding.message
    assert "`build=True`" in finding.message


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A registry on loopback that has one package of the SDK."""
    source = tmp_path / "packed"
    source.mkdir()
    (source / "package.json").write_text(json.dumps({"name": S3, "version": "3.1.5"}))
    subprocess.run(["npm", "pack", "--silent"], cwd=source, check=True, capture_output=True)
    [archive] = source.glob("*.tgz")
    packed = archive.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers["Host"]
            digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
            dist = {"tarball": f"http://{host}/p.tgz", "integrity": f"sha512-{digest}"}
            version = {"name": S3, "version": "3.1.5", "dist": dist}
            tags = {"latest": "3.1.5"}
            whole = {"name": S3, "dist-tags": tags, "versions": {"3.1.5": version}}
            body = packed if self.path == "/p.tgz" else json.dumps(whole).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="no npm on PATH")
@pytest.mark.usefixtures("registry")
def test_build_installs_it(tmp_path: Path) -> None:
    """--build puts it into the copy: inline code too, and where it is for development only."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "index.js").write_text(CODE)
    (code / "package.json").write_text(json.dumps({"devDependencies": {S3: "^3.1.0"}}))
    builder = Builder(tmp_path / "built")
    for number, each in enumerate((function(code), function(None, inline_code=CODE))):
        built = Builder(tmp_path / str(number)).build(each)
        assert built is not None
        assert (built / "node_modules" / S3 / "package.json").is_file()
        assert (built / "index.js").read_text() == CODE
    assert builder.build(function(None)) is None
    assert sorted(each.name for each in code.iterdir()) == ["index.js", "package.json"]
