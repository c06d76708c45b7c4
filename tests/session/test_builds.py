"""`--code`: another build is measured in a copy, and every report names its digest."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.lease.account import CODE
from tests.session.asking import planned
from tests.session.test_resuming import PAYLOADS, prepared, target
from tuner.api.answers import recommend
from tuner.errors import InputError
from tuner.report import markdown, terminal
from tuner.report.json import to_json
from tuner.session import run
from tuner.session.inputs import load_build
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.session import OpenTarget

__all__ = ["target"]
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/thumbs:pr-7"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    code = tmp_path / "build"
    code.mkdir()
    (code / "handler.py").write_text("def handler(event, context): return 42\n")
    return code


def digest_of(package: bytes | None) -> str:
    assert package is not None
    return base64.b64encode(hashlib.sha256(package).digest()).decode()


def test_another_build_is_measured_and_named(target: OpenTarget, folder: Path) -> None:
    """The copy has that code; sweep file, JSON, text and Markdown say which; nothing is left."""
    build = load_build(str(folder))
    client: Any = target.gateway._control.client
    deployed = client.get_function_configuration(FunctionName="hello")
    ready = prepared(target, build=build, isolation="auto", max_invocations=6)
    assert ready.plan.isolation == "clone"
    run(ready, target)
    sweep = load_sweep(ready.file)
    digest = digest_of(build.package)
    assert sweep.function.code_sha256 == digest != deployed["CodeSha256"]
    answer = recommend(sweep)
    assert to_json(answer)["function"]["code_sha256"] == digest
    text = terminal.render(answer, width=400, color=False, encoding="utf-8")
    assert f"code {digest[:7]}" in text
    for shown in (text, markdown.render(answer)):
        assert deployed["CodeSha256"][:6] in shown
    after = client.get_function_configuration(FunctionName="hello")
    assert after["RevisionId"] == deployed["RevisionId"]
    assert [each["FunctionName"] for each in client.list_functions()["Functions"]] == ["hello"]


def test_an_image_is_measured_too(target: OpenTarget) -> None:
    """Its digest is the one that Lambda gives it."""
    client: Any = target.gateway._control.client
    role = "arn:aws:iam::123456789012:role/any"
    client.create_function(FunctionName="contained", Role=role, **CODE["Image"]())
    ready = planned(
        target, "contained", payloads=PAYLOADS, build=load_build(IMAGE), max_invocations=4
    )
    sweep = run(ready, target)
    deployed = client.get_function_configuration(FunctionName="contained")["CodeSha256"]
    assert len(sweep.function.code_sha256) == 64
    assert sweep.function.code_sha256 != deployed
    client.delete_function(FunctionName="contained")


def test_the_wrong_kind_and_the_wrong_isolation_are_refused(
    target: OpenTarget, folder: Path
) -> None:
    """A ZIP function takes a ZIP, and only a copy can run another build."""
    with pytest.raises(InputError, match="hello is a ZIP package"):
        prepared(target, build=load_build(IMAGE))
    with pytest.raises(InputError, match="`isolation=version`"):
        prepared(target, build=load_build(str(folder)), isolation="version")


def test_a_folder_and_a_zip_of_it_are_builds(tmp_path: Path, folder: Path) -> None:
    """The same folder gives the same bytes; a ZIP is taken as it is."""
    first, second = load_build(str(folder)), load_build(str(folder))
    assert first.code_sha256 == second.code_sha256
    packed = tmp_path / "build.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(folder / "handler.py", "handler.py")
    assert load_build(str(packed)).package == packed.read_bytes()


@pytest.mark.parametrize("given", ["missing.zip", "repo:tag", "", "x" * 300])
def test_what_is_no_build_is_refused(given: str) -> None:
    """One line says what could be given."""
    with pytest.raises(InputError, match=r"`code`.*(neither|can't be read)"):
        load_build(given)


def test_a_file_that_is_no_zip_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    """Before anything is asked of an account."""
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(InputError, match="isn't a ZIP file"):
        load_build(str(tmp_path / "text.zip"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no code in this folder"):
        load_build(str(tmp_path / "empty"))
