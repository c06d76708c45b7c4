"""BuildMethod of a template's functions: esbuild, go and rust-cargolambda, by their own tools."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.scripted_executor import ScriptedExecutor
from tuner.errors import LocalError
from tuner.iac import read_template
from tuner.local import LocalLambda
from tuner.local.build import Builder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.local import FunctionDefinition

    Make = Callable[..., FunctionDefinition]

TEMPLATE = """\
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: METHOD
      BuildProperties: PROPERTIES
    Properties: {FunctionName: f, CodeUri: code, Handler: HANDLER, Runtime: RUNTIME}
  Other:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "def handler(e, c): return 1", Handler: index.handler, Runtime: OWN}
"""


def _has_esbuild() -> bool:
    """Whether `npm exec` can run it, from its cache or its registry."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    command = ["npm", "exec", "--yes", "--package=esbuild", "--", "esbuild", "--version"]
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a template with one function that is to be built, and an empty folder for its code."""

    def write(
        method: str, properties: str = "{}", handler: str = "bootstrap", runtime: str = ""
    ) -> FunctionDefinition:
        (tmp_path / "code").mkdir(exist_ok=True)
        path = tmp_path / "template.yaml"
        own = f"python3.{sys.version_info.minor}"
        text = TEMPLATE.replace("METHOD", method).replace("PROPERTIES", properties)
        text = text.replace("HANDLER", handler).replace("RUNTIME", runtime or "provided.al2023")
        path.write_text(text.replace("OWN", own))
        return read_template(path).functions[0]

    return write


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a tool on PATH that notes its arguments and runs a script."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def add(name: str, script: str) -> Path:
        noted, file = tmp_path / f"{name}.args", folder / name
        file.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(noted))}\n{script}\n')
        file.chmod(0o755)
        return noted

    return add


OUT = """\
for each; do case $each in --outdir=*) out=${each#*=};; esac; done
[ -z "$out" ] || { mkdir -p "$out"; echo bundled > "$out/app.js"; }
"""


def test_esbuild_bundles_through_npm(
    make: Make, tool: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """What the template's BuildProperties say is passed on; the SDK goes into the bundle."""
    noted = tool("npm", OUT)
    function = make(
        "esbuild",
        "{EntryPoints: [src/app.ts], Format: esm, OutExtension: [.js=.mjs], Minify: true, "
        "Sourcemap: false, External: ['@aws-sdk/*', sharp], Unknown: {a: 1}}",
        "app.handler",
        "nodejs20.x",
    )
    (tmp_path / "code" / "src").mkdir()
    (tmp_path / "code" / "src" / "app.ts").write_text("import '@aws-sdk/client-s3';")
    (tmp_path / "code" / "package.json").write_text("{}")
    built = Builder(tmp_path / "built").build(function)
    assert built is not None
    assert (built / "app.js").read_text() == "bundled\n"
    install, more, bundle = noted.read_text().splitlines()
    assert install.startswith("install --no-package-lock --include=dev")
    assert "--save-prod @aws-sdk/client-s3" in more
    assert bundle.startswith("exec --yes --package=esbuild -- esbuild src/app.ts --bundle ")
    assert bundle.endswith("--external:sharp --format=esm --out-extension:.js=.mjs --minify")
    assert [each.name for each in (tmp_path / "code").iterdir() if each.is_dir()] == ["src"]


def test_esbuild_takes_the_handlers_source(
    make: Make, tool: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """Without EntryPoints the handler's own file is bundled, in its folder; else a line says so."""
    noted = tool("npm", OUT)
    function = make("esbuild", "{}", "src/app.handler", "nodejs20.x")
    with pytest.raises(LocalError, match=r"finds no src/app\.ts or src/app\.js in .*EntryPoints"):
        Builder(tmp_path / "none").build(function)
    (tmp_path / "code" / "src").mkdir()
    (tmp_path / "code" / "src" / "app.ts").write_text("")
    Builder(tmp_path / "built").build(function)
    assert "esbuild src/app.ts --outbase=. --bundle" in noted.read_text()


def test_without_build_esbuild_is_named_before_the_run(make: Make, tmp_path: Path) -> None:
    """A function whose bundle is not there is left out with the cause; one that has it runs."""
    make("esbuild", "{EntryPoints: [src/app.ts]}", "app.handler", "nodejs20.x")
    path = tmp_path / "template.yaml"
    with LocalLambda.from_template(
        path, executor=ScriptedExecutor(), emulated_services=False
    ) as server:
        assert server.status()["functions"] == ["Other"]
        [said] = [finding.message for finding in server.findings]
    assert "the handler's file app.js is not in" in said
    assert "start with `build=True`" in said
    (tmp_path / "code" / "app.js").write_text("exports.handler = async () => 1;")
    with LocalLambda.from_template(
        path, executor=ScriptedExecutor(), emulated_services=False
    ) as server:
        assert server.status()["functions"] == ["Other", "f"]


@pytest.mark.parametrize("method", ["go", "go1.x"])
def test_go_compiles_the_bootstrap(
    make: Make, tool: Callable[[str, str], Path], tmp_path: Path, method: str
) -> None:
    """The folder's main package becomes the bootstrap."""
    noted = tool("go", 'echo made > "$4"')
    built = Builder(tmp_path / "built").build(make(method))
    assert built is not None
    assert (built / "bootstrap").read_text() == "made\n"
    assert noted.read_text() == f"build -buildvcs=false -o {built}/bootstrap .\n"


MADE = """\
for each; do case $each in --target-dir=*) out=${each#*=}/release;; esac; done
mkdir -p "$out/deps"
for name in PROGRAMS; do echo $name > "$out/$name"; chmod 755 "$out/$name"; done
touch "$out/one.d"
"""


@pytest.mark.parametrize(
    "case",
    [
        ("one", "{}", "bootstrap", "one"),
        ("one two", "{}", "two", "two"),
        ("one two", "{Binary: one}", "bootstrap", "one"),
        ("one two", "{}", "bootstrap", None),
    ],
)
def test_cargo_compiles_the_bootstrap(
    make: Make,
    tool: Callable[[str, str], Path],
    tmp_path: Path,
    case: tuple[str, str, str, str | None],
) -> None:
    """The program that the template names, or the only one; of several a line asks which."""
    programs, properties, handler, chosen = case
    noted = tool("cargo", MADE.replace("PROGRAMS", programs))
    function = make("rust-cargolambda", properties, handler)
    (tmp_path / "code" / "target").mkdir()
    builder = Builder(tmp_path / "built")
    if chosen is None:
        with pytest.raises(LocalError, match=r"\(one, two\): name the one as Binary"):
            builder.build(function)
        return
    built = builder.build(function)
    assert built is not None
    assert (built / "bootstrap").read_text() == f"{chosen}\n"
    assert ("--bin=one" in noted.read_text()) == ("Binary" in properties)


@pytest.mark.parametrize(
    ("method", "needed"), [("esbuild", "npm"), ("go", "go"), ("rust-cargolambda", "cargo")]
)
def test_a_missing_tool_is_named(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, method: str, needed: str
) -> None:
    """Where the tool is not on PATH one line names it and the method."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match=f"BuildMethod {method} needs {needed}, which is not on"):
        Builder(tmp_path / "built").build(make(method))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="no go on PATH")
def test_go_itself(make: Make, tmp_path: Path) -> None:
    """A module of nothing but main is compiled, and its folder stays as it was."""
    function, code = make("go"), tmp_path / "code"
    (code / "go.mod").write_text("module any\n\ngo 1.21\n")
    (code / "main.go").write_text("package main\n\nfunc main() {}\n")
    built = Builder(tmp_path / "built").build(function)
    assert built is not None
    assert (built / "bootstrap").stat().st_mode & 0o111
    assert sorted(each.name for each in code.iterdir()) == ["go.mod", "main.go"]


@pytest.mark.slow
def test_esbuild_itself(make: Make, tmp_path: Path) -> None:
    """TypeScript with a module beside it becomes one file that Node.js runs; the folder stays."""
    if not _has_esbuild():
        pytest.skip("npm has no esbuild here: neither in its cache nor from a registry")
    function = make("esbuild", "{EntryPoints: [src/app.ts]}", "app.handler", "nodejs22.x")
    code = tmp_path / "code"
    (code / "src").mkdir()
    (code / "src" / "twice.ts").write_text("export const twice = (n: number): number => 2 * n;\n")
    (code / "src" / "app.ts").write_text(
        "import { twice } from './twice';\nexport const handler = async (n: number) => twice(n);\n"
    )
    (code / "package.json").write_text("{}")
    built = Builder(tmp_path / "built").build(function)
    assert built is not None
    call = "require(process.argv[1]).handler(21).then((n) => process.stdout.write(String(n)))"
    ran = subprocess.run(
        ["node", "-e", call, str(built / "app.js")], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "42"
    assert sorted(each.name for each in code.iterdir()) == ["package.json", "src"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cargo") is None, reason="no cargo on PATH")
def test_cargo_itself(make: Make, tmp_path: Path) -> None:
    """A crate of nothing but main is compiled, and its folder stays as it was."""
    function = make("rust-cargolambda")
    code = tmp_path / "code"
    (code / "src").mkdir()
    (code / "src" / "main.rs").write_text("fn main() {}")
    (code / "Cargo.toml").write_text('[package]\nname = "any"\nversion = "0.1.0"\n')
    built = Builder(tmp_path / "built").build(function)
    assert built is not None
    assert (built / "bootstrap").stat().st_mode & 0o111
    assert sorted(each.name for each in code.iterdir()) == ["Cargo.toml", "src"]
