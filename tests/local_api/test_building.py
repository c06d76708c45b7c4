"""`--build`: pip, npm or make put into a copy what a function needs; folders are only read."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.local_api.test_child_process import gone
from tests.scripted_executor import ScriptedExecutor
from tuner.errors import LocalError
from tuner.iac import TemplateLayer, read_template
from tuner.local import LocalLambda, build
from tuner.local.build import Builder
from tuner.local.deployment import FunctionDefinition

pytestmark = pytest.mark.slow

OWN = f"python3.{sys.version_info.minor}"


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def package(folder: Path, name: str = "tiny") -> Path:
    """A Python package that pip can install without a network."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    source = folder / "wheel"
    (source / info).mkdir(parents=True)
    for module in (name, f"{name}_more"):
        (source / f"{module}.py").write_text("NAME = 'installed'\n")
    (source / info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (source / info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    (source / info / "RECORD").write_text("")
    shutil.make_archive(str(wheel.with_suffix("")), "zip", source)
    wheel.with_suffix(".zip").rename(wheel)
    return wheel


def test_requirements_are_installed_by_pip_beside_the_code(tmp_path: Path) -> None:
    """Relative paths in requirements.txt are the folder's, and its own modules win."""
    code = tmp_path / "code"
    code.mkdir()
    wheel = package(tmp_path)
    (code / "requirements.txt").write_text(f"--no-index\n../{wheel.name}\n")
    (code / "tiny_more.py").write_text("NAME = 'own'\n")
    (code / "leads nowhere").symlink_to("nowhere")
    before = snapshot(code)
    function = FunctionDefinition("f", code_dir=code, runtime=OWN, has_requirements=True)
    built = Builder(tmp_path / "built").build(function)
    assert built is not None
    assert (built / "tiny.py").read_text() == "NAME = 'installed'\n"
    assert (built / "tiny_more.py").read_text() == "NAME = 'own'\n"
    assert snapshot(code) == before


@pytest.mark.skipif(shutil.which("npm") is None, reason="no npm on PATH")
def test_dependencies_are_installed_by_npm(tmp_path: Path) -> None:
    """node_modules appear in the copy only."""
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "package.json").write_text('{"name": "tiny", "version": "1.0.0"}')
    (tmp_path / "tiny" / "index.js").write_text("exports.name = 'installed';\n")
    packed = subprocess.run(
        ["npm", "pack", "--silent", "./tiny"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    code = tmp_path / "code"
    code.mkdir()
    needs = {"dependencies": {"tiny": f"file:{tmp_path / packed.stdout.strip()}"}}
    (code / "package.json").write_text(json.dumps(needs))
    (code / "index.js").write_text("exports.handler = async () => require('tiny').name;\n")
    before = snapshot(code)
    function = FunctionDefinition("f", code_dir=code, runtime="nodejs20.x", has_requirements=True)
    built = Builder(tmp_path / "built").build(function)
    assert built is not None
    assert "installed" in (built / "node_modules" / "tiny" / "index.js").read_text()
    assert snapshot(code) == before


MAKEFILE = """\
build-Native:
\tprintf '#!/bin/sh\\n' > "$(ARTIFACTS_DIR)/bootstrap"
\tchmod 755 "$(ARTIFACTS_DIR)/bootstrap"
\ttouch left-behind
"""
TEMPLATE = """\
Resources:
  Native:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: METHOD}
    Properties: {CodeUri: code, Handler: any, Runtime: provided.al2023, FunctionName: native}
  Other:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "def handler(e, c): return 1", Handler: index.handler, Runtime: OWN}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "Makefile").write_text(MAKEFILE)
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.replace("METHOD", "makefile").replace("OWN", OWN))
    return path


def test_a_makefile_builds_a_function_of_a_template(template: Path) -> None:
    """BuildMethod: makefile runs build-LOGICALID as `sam build` does; else a line says so."""
    code = template.parent / "code"
    before = snapshot(code)
    with LocalLambda.from_template(
        template, executor=ScriptedExecutor(), emulated_services=False, build=True
    ) as server:
        assert server.status()["functions"] == ["Other", "native"]
        assert server.findings == ()
    with LocalLambda.from_template(
        template, executor=ScriptedExecutor(), emulated_services=False
    ) as server:
        [said] = [finding.message for finding in server.findings]
        assert server.status()["functions"] == ["Other"]
        assert "provided.al2023 needs an executable file `bootstrap`" in said
        assert "`build=True`" in said
    assert snapshot(code) == before


LAYERS = """\
Resources:
  Shared:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: OWN}
    Properties: {ContentUri: code}
  Made:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: code}
  F:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): return 1"
      Handler: index.handler
      Runtime: OWN
      Layers: [!Ref Shared, !Ref Made]
"""


def test_layers_are_built_as_sam_builds_them(tmp_path: Path) -> None:
    """Packages and source go below python/; make fills the layer itself; else a finding says so."""
    code = tmp_path / "code"
    code.mkdir()
    wheel = package(tmp_path)
    (code / "requirements.txt").write_text(f"--no-index\n../{wheel.name}\n")
    (code / "own.py").write_text("")
    (code / "Makefile").write_text("build-Made:\n\ttouch $(ARTIFACTS_DIR)/made\n")
    path = tmp_path / "template.yaml"
    path.write_text(LAYERS.replace("OWN", OWN))
    function = read_template(path).functions[0]
    shared, made = map(Builder(tmp_path / "built").build_layer, function.layers)
    assert shared is not None
    assert made is not None
    assert {"tiny.py", "own.py"} <= {each.name for each in (shared / "python").iterdir()}
    assert [each.name for each in made.iterdir()] == ["made"]
    with LocalLambda.from_template(
        path, executor=ScriptedExecutor(), emulated_services=False
    ) as server:
        assert {finding.code for finding in server.findings} == {"layer_not_built"}


SEVERAL = """\
Resources:
  Asked:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties:
      {CodeUri: code, Handler: h.h, Runtime: OWN, Environment: {Variables: {NEXT: !Ref Named}}}
  Named:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: code, Handler: h.h, Runtime: OWN}
  Strange:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: code, Handler: h.h, Runtime: OWN}
"""


def test_only_what_is_tuned_and_what_it_names_is_built(tmp_path: Path) -> None:
    """A function that is not asked for costs no build; each build is told when it begins."""
    (tmp_path / "code").mkdir()
    makefile = "build-%:\n\ttouch $(ARTIFACTS_DIR)/h.py\nbuild-Strange:\n\texit 1\n"
    (tmp_path / "code" / "Makefile").write_text(makefile)
    path = tmp_path / "template.yaml"
    path.write_text(SEVERAL.replace("OWN", OWN))
    told: list[str] = []
    with LocalLambda.from_template(
        path,
        executor=ScriptedExecutor(),
        emulated_services=False,
        build=True,
        build_for="Asked:live",
        on_step=told.append,
    ) as server:
        assert server.status()["functions"] == ["Asked", "Named", "Strange"]
    assert told == ["building Asked: make build-Asked", "building Named: make build-Named"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process's children")
def test_a_build_ends_with_whoever_asked_for_it(tmp_path: Path) -> None:
    """After SIGTERM or SIGKILL of `tuner`, neither the endpoint nor what make started is left."""
    (tmp_path / "code").mkdir()
    begun = tmp_path / "pid"
    makefile = f"build-Native:\n\techo $$$$ > {begun}.new; mv {begun}.new {begun}; sleep 60; true\n"
    (tmp_path / "code" / "Makefile").write_text(makefile)
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.replace("METHOD", "makefile").replace("OWN", OWN))
    command = [sys.executable, "-m", "tuner", "tune", "native", "--local", str(path), "--build"]
    for number in (signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path) as running:
            assert running.stderr is not None
            assert b"building native: make build-Native" in running.stderr.readline()
            while not begun.exists():
                time.sleep(0.02)
            shell = int(begun.read_text())
            begun.unlink()
            children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text()
            running.send_signal(number)
            running.wait()
            assert all(gone(pid) for pid in (shell, *map(int, children.split())))


def test_a_build_that_fails_is_a_line(template: Path, tmp_path: Path) -> None:
    """The tool's own words, the function and its place; nothing is deployed half."""
    (tmp_path / "code" / "Makefile").write_text("build-Native:\n\techo boom >&2; exit 3\n")
    function = read_template(template).functions[0]
    with pytest.raises(LocalError, match=r"make failed: make.*Error 3|make failed: boom"):
        Builder(tmp_path / "built").build(function)
    (tmp_path / "code" / "requirements.txt").write_text("no-such-package-anywhere==0\n--no-index\n")
    function = FunctionDefinition(
        "f", code_dir=tmp_path / "code", runtime=OWN, has_requirements=True
    )
    with pytest.raises(LocalError, match=r"pip failed: ERROR: .*no-such-package-anywhere"):
        Builder(tmp_path / "again").build(function)


def test_other_build_methods_are_refused(template: Path, tmp_path: Path) -> None:
    """What only its own tool can build is said, with what to do."""
    template.write_text(template.read_text().replace("makefile", "dotnet7"))
    function = read_template(template).functions[0]
    with pytest.raises(LocalError, match="BuildMethod dotnet7 is not supported: build it"):
        Builder(tmp_path / "built").build(function)


def test_a_tool_that_is_missing_is_named(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without make on PATH the line says that it is needed; one that hangs is ended."""
    function = read_template(template).functions[0]
    monkeypatch.setattr(build, "LIMIT_S", 0.2)
    (tmp_path / "code" / "Makefile").write_text("build-Native:\n\texec sleep 20\n")
    with pytest.raises(LocalError, match="make took over 0 s"):
        Builder(tmp_path / "slow").build(function)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="make is not on PATH, which `build=True` needs"):
        Builder(tmp_path / "built").build(function)


def test_nothing_to_build_is_deployed_as_it_lies(tmp_path: Path) -> None:
    """Functions without packages to install are left alone."""
    builder = Builder(tmp_path / "built")
    assert builder.build(FunctionDefinition("echo")) is None
    assert builder.build(FunctionDefinition("f", code_dir=tmp_path, runtime=OWN)) is None
    assert not (tmp_path / "built").exists()


def test_a_layer_that_cannot_be_built_fails_only_what_uses_it(tmp_path: Path) -> None:
    """Every function with the layer is left out with the tool's line; the others run."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "Makefile").write_text("build-Made:\n\techo boom >&2; exit 3\n")
    (code / "handler.py").write_text("def handler(event, context):\n    return 1\n")
    layer = TemplateLayer("Made", "made", code, 1, "makefile")
    functions = [
        FunctionDefinition(name, code_dir=code, runtime=OWN, layers=(layer,) * (name != "other"))
        for name in ("first", "second", "other")
    ]
    with LocalLambda(
        functions,
        executor=ScriptedExecutor(),
        emulated_services=False,
        leave_out_unfit=True,
        build=True,
    ) as server:
        assert server.status()["functions"] == ["other"]
        said = [finding.message for finding in server.findings]
    assert len(said) == 2
    assert all("left out" in each and "make failed" in each for each in said)
