"""In a Serverless service a function's memory is changed, and no other function's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.iac.editing import check_lines, edited, refusal

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = """\
service: shop
custom:
  alone: 768
  both: 640   # of two
  memory:
    prod: 2048
    dev: 512
  shared:
    prod: 3008
    dev: 256
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
  memorySize: 896
functions:
  own:
    handler: a.b
    memorySize: 1536MB # as text
  named:
    name: my-${self:service}-name
    memorySize: '1024'
    handler: a.b
  bare:
    handler: a.b
    events: []
  other:
    handler: a.b
  alone: {handler: a.b, memorySize: "${self:custom.alone}"}
  first: {handler: a.b, memorySize: "${self:custom.both}"}
  second: {handler: a.b, memorySize: "${self:custom.both}"}
  staged: {handler: a.b, memorySize: "${self:custom.memory.${self:provider.stage}}"}
  one: {handler: a.b, memorySize: "${self:custom.shared.${opt:stage, 'dev'}}"}
  two: {handler: a.b, memorySize: "${self:custom.shared.${opt:stage, 'dev'}}"}
  given: {handler: a.b, memorySize: "${opt:memory, 512}"}
  elsewhere: ${file(other.yml)}
  program: ${file(other.js)}
resources:
  Outputs: {A: {Value: !Ref B}}
"""


def write(folder: Path, text: str = SERVICE) -> Path:
    path = folder / "serverless.yml"
    path.write_text(text)
    (folder / "other.yml").write_text("handler: c.d\nmemorySize: 384\n")
    return path


@pytest.mark.parametrize(
    ("name", "was_mb", "after", "shared_by"),
    [
        ("shop-dev-own", 1536, "    memorySize: 320MB # as text", ()),
        ("my-shop-name", 1024, "    memorySize: '320'", ()),
        ("bare", 896, "    handler: a.b\n    memorySize: 320", ("other",)),
        ("alone", 768, "  alone: 320", ()),
        ("first", 640, "  first: {handler: a.b, memorySize: 320}", ("second",)),
        ("elsewhere", 384, "memorySize: 320", ()),
    ],
)
def test_the_memory_is_changed_where_it_is_the_functions_own(
    tmp_path: Path, *, name: str, was_mb: int, after: str, shared_by: tuple[str, ...]
) -> None:
    """Its own value, one of `custom`, in a file of its own; what is shared is overridden."""
    write(tmp_path)
    found, data = edited(tmp_path / "serverless.yml", name, 320)
    assert (found.was_mb, found.after, found.shared_by) == (was_mb, after, shared_by)
    check_lines(found, found.path.read_bytes(), data)


def test_a_value_by_stage_is_changed_for_the_named_stage(tmp_path: Path) -> None:
    """Without a stage it's asked for, and one that other functions use too is refused."""
    path = write(tmp_path)
    assert refusal(path, "staged").startswith(f"{path}:31: the memory is")
    assert "which depends on the stage: say which (`stage`)" in refusal(path, "staged")
    found, _ = edited(path, "shop-prod-staged", 320, stage="prod")
    assert (found.was_mb, found.after) == (2048, "    prod: 320")
    assert "others use too, by stage" in refusal(path, "one", stage="prod")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("given", "which is no number in this file"),
        ("program", "program is '${file(other.js)}', which isn't followed here"),
    ],
)
def test_what_only_a_deployment_knows_is_refused(tmp_path: Path, name: str, words: str) -> None:
    """With file and line."""
    said = refusal(write(tmp_path), name)
    assert words in said
    assert f"{tmp_path / 'serverless.yml'}:" in said


def test_another_cloud_and_an_empty_service_have_no_functions(tmp_path: Path) -> None:
    """Their functions are none of Lambda's."""
    for text in (
        "service: s\nprovider: {name: azure}\nfunctions: {f: {handler: a.b}}\n",
        "service: s\nprovider: {name: aws}\nfunctions:\n",
    ):
        assert "nothing here declares" in refusal(write(tmp_path, text), "f")


def test_without_a_size_the_frameworks_own_counts(tmp_path: Path) -> None:
    """1024 MB, not Lambda's 128."""
    text = "service: s\nprovider: {name: aws}\nfunctions:\n- f: {handler: a.b}\n"
    found, _ = edited(write(tmp_path, text), "s-dev-f", 320)
    assert found.was_mb == 1024
    assert found.after == "- f: {handler: a.b, memorySize: 320}"


@settings(max_examples=30)
@given(
    comment=st.text("äx🙂#", max_size=4),
    quote=st.sampled_from(["", "'", '"']),
    unit=st.sampled_from(["", "MB"]),
    bom=st.booleans(),
    new_line=st.sampled_from(["\n", "\r\n"]),
    has_memory=st.booleans(),
    memory_mb=st.integers(128, 1023),
)
def test_only_the_number_changes(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    comment: str,
    quote: str,
    unit: str,
    bom: bool,
    new_line: str,
    has_memory: bool,
    memory_mb: int,
) -> None:
    """Byte for byte, with any line break, byte order mark, comments and anchors."""
    memory = f"    memorySize: {quote}777{unit}{quote}  # {comment}\n" if has_memory else ""
    text = (
        f"service: s # {comment}\nprovider: &p {{name: aws}}\nfunctions:\n"
        f"  f: &f\n    description: x # {comment}\n{memory}    handler: a.b # {comment}\n"
        "  g: {handler: a.b, memorySize: 777}\ncustom: *p\n"
    ).replace("\n", new_line)
    path = write(tmp_path_factory.mktemp("t"))
    before = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    path.write_bytes(before)
    found, after = edited(path, "f", memory_mb)
    check_lines(found, before, after)
    if has_memory:
        assert after == before.replace(b"777", str(memory_mb).encode(), 1)
    else:
        assert after.replace(f"    memorySize: {memory_mb}{new_line}".encode(), b"", 1) == before
    assert yaml.safe_load(after.decode("utf-8-sig"))["functions"]["g"]["memorySize"] == 777


def test_a_file_of_a_services_functions_can_be_named(tmp_path: Path) -> None:
    """It's read as part of the service that takes its functions from it, and alone is meant."""
    (tmp_path / "serverless.yml").write_text(
        "service: shop\nprovider: {name: aws}\nfunctions:\n"
        "  - ${file(./parts/one.yml)}\n  - ${file(./parts/two.yml)}\n"
    )
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "one.yml").write_text("a: {handler: x.y, memorySize: 512}\n")
    (parts / "two.yml").write_text("b: {handler: x.y}\n")
    assert edited(parts / "one.yml", "shop-dev-a", 320)[0].was_mb == 512
    assert "nothing here declares" in refusal(parts / "one.yml", "b")


def test_a_file_of_functions_may_be_a_list_of_others_or_a_stages(tmp_path: Path) -> None:
    """Files are followed through lists, and by the stage that is said; both can be named."""
    service = tmp_path / "serverless.yml"
    head = "service: shop\nprovider: {name: aws}\ncustom:\n  stage: ${opt:stage, 'dev'}\n"
    service.write_text(head + "functions: ${file(./parts/all.yml)}\n")
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "all.yml").write_text("- ${file(parts/one.yml)}\n")
    (parts / "one.yml").write_text("a: {handler: x.y, memorySize: 512}\n")
    assert edited(service, "shop-dev-a", 320)[0].path == parts / "one.yml"
    assert edited(parts / "one.yml", "a", 320)[0].was_mb == 512
    service.write_text(head + "functions: ${file(./parts/of-${self:custom.stage}.yml)}\n")
    (parts / "of-prod.yml").write_text("b: {handler: x.y, memorySize: 768}\n")
    assert edited(parts / "of-prod.yml", "b", 320, stage="prod")[0].was_mb == 768
    assert "say which stage (`stage`)" in refusal(parts / "of-prod.yml", "b")
    assert "of-${self:custom.stage}.yml)}, which is no YAML" in refusal(service, "b", stage="qa")


@pytest.mark.parametrize(
    ("custom", "memory", "stage"),
    [
        ("${file(custom.yml)}", "${self:custom.memory}", None),
        ("{}", "${file(./custom.yml):memory}", None),
        ("${file(${opt:stage}.yml)}", "${self:custom.memory}", "custom"),
    ],
)
def test_a_value_in_another_file_is_read_and_left_there(
    tmp_path: Path, custom: str, memory: str, stage: str | None
) -> None:
    """Others may take it too, so the function gets its own, unless the stage chooses the file."""
    service = tmp_path / "serverless.yml"
    service.write_text(
        f"service: shop\nprovider: {{name: aws}}\ncustom: {custom}\n"
        f"functions:\n  a:\n    handler: x.y\n    memorySize: {memory}\n"
    )
    (tmp_path / "custom.yml").write_text("memory: 512\n")
    if stage is None:
        found, _ = edited(service, "a", 320)
        assert (found.path, found.was_mb, found.after) == (service, 512, "    memorySize: 320")
    else:
        assert "is by stage in" in refusal(service, "a", stage=stage)
        assert "depends on the stage" in refusal(service, "a")
