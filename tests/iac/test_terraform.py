"""In Terraform a function's memory is changed where it's written for that function alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.iac.editing import check_lines, edited, refusal

if TYPE_CHECKING:
    from pathlib import Path

MAIN = """\
variable "env" {}
variable "own" {
  default = 512 # MB
}
variable "both" { default = 640 }
variable "none" {}
locals {
  alone = 768
  all   = "896"
  sizes = { a = 1024 }
}
resource "aws_lambda_function" "literal" {
  function_name = "shop-${var.env}-literal"
  memory_size   = 2048
}
resource "aws_lambda_function" "bare" {
  function_name = "bare"
  timeout       = 3 # s
  role          = "r"
}
resource "aws_lambda_function" "empty" {
}
resource "aws_lambda_function" "by_var" { memory_size = var.own }
resource "aws_lambda_function" "by_local" { memory_size = local.alone }
resource "aws_lambda_function" "one" { memory_size = local.all }
resource "aws_lambda_function" "two" { memory_size = local.all }
resource "aws_lambda_function" "three" { memory_size = var.both }
resource "aws_lambda_function" "four" { memory_size = var.both }
resource "aws_lambda_function" "given" { memory_size = var.none }
resource "aws_lambda_function" "by_map" { memory_size = local.sizes[var.env] }
resource "aws_lambda_function" "perhaps" {
  count       = var.env == "prod" ? 1 : 0
  memory_size = 256
}
resource "aws_lambda_function" "several" {
  for_each    = toset(["a", "b"])
  memory_size = 256
}
resource "aws_lambda_function" "ignored" {
  memory_size = 256
  lifecycle { ignore_changes = [memory_size] }
}
module "from_registry" {
  source        = "terraform-aws-modules/lambda/aws"
  function_name = "of-module"
  memory_size   = 384
}
module "layer" {
  source       = "terraform-aws-modules/lambda/aws"
  create_layer = true
}
resource "aws_lambda_function" "none_of_it" {
  count = 0
}
"""


def write(folder: Path, text: str = MAIN, name: str = "main.tf") -> Path:
    (folder / ".git").mkdir(exist_ok=True)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "was_mb", "after", "shared_by"),
    [
        ("shop-prod-literal", 2048, "  memory_size   = 320", ()),
        ("bare", 128, "  timeout       = 3 # s\n  memory_size   = 320", ()),
        ("empty", 128, 'resource "aws_lambda_function" "empty" {\n  memory_size = 320', ()),
        ("by_var", 512, "  default = 320 # MB", ()),
        ("aws_lambda_function.by_local", 768, "  alone = 320", ()),
        (
            "one",
            896,
            'resource "aws_lambda_function" "one" { memory_size = 320 }',
            ("aws_lambda_function.two",),
        ),
        (
            "four",
            640,
            'resource "aws_lambda_function" "four" { memory_size = 320 }',
            ("aws_lambda_function.three",),
        ),
        ("perhaps", 256, "  memory_size = 320", ()),
        ("of-module", 384, "  memory_size   = 320", ()),
    ],
)
def test_the_memory_is_changed_where_it_is_the_functions_own(
    tmp_path: Path, *, name: str, was_mb: int, after: str, shared_by: tuple[str, ...]
) -> None:
    """A literal, a variable's default, a local; a shared one is overridden at the function."""
    path = write(tmp_path)
    found, data = edited(tmp_path, name, 320)
    assert (found.was_mb, found.after, found.shared_by) == (was_mb, after, shared_by)
    check_lines(found, path.read_bytes(), data)


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("given", 6, "has no default"),
        ("by_map", 30, "which isn't one plain value"),
        ('several["a"]', 36, "for_each makes several functions"),
        ("none_of_it", 53, "count is 0 here"),
        ("ignored", 41, "Terraform ignores changes of memory_size"),
    ],
)
def test_what_stands_for_more_than_one_size_is_refused_with_its_line(
    tmp_path: Path, name: str, line: int, words: str
) -> None:
    """Never a guess; and a module that makes a layer is no function."""
    path = write(tmp_path)
    said = refusal(tmp_path, name, 320)
    assert said.startswith(f"{path}:{line}: ")
    assert words in said
    assert "nothing here declares" in refusal(tmp_path, "layer")


def test_a_file_of_values_is_changed_where_it_counts(tmp_path: Path) -> None:
    """terraform.tfvars always does; another one is named by the stage, or asked for."""
    write(tmp_path)
    write(tmp_path, "own = 1024\n", "envs/prod.tfvars")
    write(tmp_path, "own = 1536\n", "envs/dev.tfvars")
    assert "say which (`stage`, the file's name)" in refusal(tmp_path, "by_var")
    found, _ = edited(tmp_path, "by_var", 320, stage="prod")
    assert (found.path.name, found.was_mb, found.after) == ("prod.tfvars", 1024, "own = 320")
    write(tmp_path, "own = 2048\n", "terraform.tfvars")
    found, _ = edited(tmp_path, "by_var", 320)
    assert (found.path.name, found.was_mb) == ("terraform.tfvars", 2048)


@pytest.mark.parametrize(
    ("name", "text", "stage"),
    [
        ("terraform.tfvars.json", '{"of": {"size": 1, "a": [":,"]}, "size": 512}\n', None),
        ("b.auto.tfvars.json", '{\r\n  "size": "512"\r\n}\r\n', None),
        ("prod.tfvars.json", '{"size": 512, "name": "f"}', "prod"),
        ("override.tf", 'variable "size" { default = 512 }\n', None),
        ("a_override.tf", 'resource "aws_lambda_function" "f" {\n memory_size = 512\n}\n', None),
        ("b_override.tf", "locals { size = 512 }\n", None),
    ],
)
def test_files_that_count_more_are_read_and_changed(
    tmp_path: Path, name: str, text: str, stage: str | None
) -> None:
    """Values in JSON and override files give the memory, so the edit goes there."""
    write(
        tmp_path,
        'variable "size" { default = 256 }\nlocals { size = 256 }\n'
        'resource "aws_lambda_function" "f" {\n  function_name = "f"\n'
        f"  memory_size = {'local' if 'b_' in name else 'var'}.size\n}}\n",
    )
    path = write(tmp_path, text, name)
    found, data = edited(tmp_path, "f", 320, stage=stage)
    assert (found.path, found.was_mb, data) == (path, 512, text.replace("512", "320").encode())


def test_opentofus_files_are_read_and_count_more(tmp_path: Path) -> None:
    """`main.tofu` stands for `main.tf` beside it."""
    text = 'resource "aws_lambda_function" "f" {\n  function_name = "f"\n  memory_size = 512\n}\n'
    path = write(tmp_path, text, "main.tofu")
    write(tmp_path, text.replace("512", "256"))
    for place in (tmp_path, path):
        found, _ = edited(place, "f", 320)
        assert (found.path, found.was_mb) == (path, 512)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("main.tf.json", "Terraform's JSON"),
        ("serverless.ts", "Serverless as a program"),
        ("sst.config.ts", "SST"),
        ("zappa_settings.json", "Zappa"),
    ],
)
def test_what_is_not_read_is_named(tmp_path: Path, name: str, what: str) -> None:
    """A file that may declare the function in a form that isn't read isn't passed over."""
    path = write(tmp_path, '{"resource": {"aws_lambda_function": {"f": {}}}}', name)
    for place in (tmp_path, path):
        assert f"{path}: {what} isn't read" in refusal(place, "f")


def test_a_module_is_changed_for_one_call_only(tmp_path: Path) -> None:
    """At the call; what is written in the module itself is the same for all its calls."""
    inner = write(
        tmp_path,
        'variable "name" {}\nvariable "memory" { default = 512 }\n'
        'resource "aws_lambda_function" "f" {\n  function_name = var.name\n'
        "  memory_size = var.memory\n}\n"
        'resource "aws_lambda_function" "g" {\n  function_name = "${var.name}-g"\n'
        "  memory_size = 256\n}\n",
        "modules/fn/main.tf",
    )
    outer = write(
        tmp_path,
        'module "a" {\n  source = "./modules/fn"\n  name = "first"\n  memory = 1024\n}\n'
        'module "b" {\n  source = "./modules/fn"\n  name = "second"\n}\n',
    )
    found, data = edited(tmp_path, "first", 320)
    assert (found.path, found.line, found.after) == (outer, 4, "  memory = 320")
    check_lines(found, outer.read_bytes(), data)
    found, _ = edited(tmp_path, "second", 320)
    assert (found.path, found.was_mb) == (outer, 512)
    assert found.after == '  source = "./modules/fn"\n  memory = 320'
    said = refusal(tmp_path, "first-g", 320)
    assert said.startswith(f"{inner}:7: this folder is called as a module 2 times")


def test_a_modules_variable_for_several_functions_is_overridden_at_one(tmp_path: Path) -> None:
    """What a module passes on to others isn't changed for one of them, wherever they are."""
    function = (
        'variable "size" {}\nresource "aws_lambda_function" "f" {\n'
        '  function_name = "NAME"\n  memory_size = "${var.size}"\n}\n'
    )
    write(tmp_path, function.replace("NAME", "one"), "one/main.tf")
    write(tmp_path, function.replace("NAME", "two"), "two/main.tf")
    middle = (
        'variable "size" { default = 512 }\n'
        'module "one" {\n  source = "../one"\n  size = "${var.size}"\n}\n'
        'module "two" {\n  source = "../two"\n  size = "${var.size}"\n}\n'
    )
    path = write(tmp_path, middle, "middle/main.tf")
    call = 'module "a" {\n  source = "./middle"\n}\n'
    write(tmp_path, call)
    found, data = edited(tmp_path, "one", 320)
    assert (found.path, found.line, found.was_mb, found.after) == (path, 4, 512, "  size = 320")
    check_lines(found, path.read_bytes(), data)
    write(tmp_path, call + call.replace('"a"', '"b"'))
    said = refusal(tmp_path, "module.a.module.one.aws_lambda_function.f", 320)
    assert 'var.size}", which is the memory, is that of other functions too' in said


@pytest.mark.parametrize("count", ["1", "${var.on ? 1 : 0}"])
def test_a_reference_may_stand_in_a_string(tmp_path: Path, count: str) -> None:
    """`"${var.memory}"`, as Terraform before 0.12 wants it, is `var.memory`."""
    path = write(
        tmp_path,
        'variable "on" { default = true }\nvariable "memory" {\n  default = "512"\n}\n'
        f'resource "aws_lambda_function" "f" {{\n  count = "{count}"\n'
        '  function_name = "f"\n  memory_size = "${var.memory}"\n}\n',
    )
    found, data = edited(tmp_path, "f", 320)
    assert (found.line, found.was_mb, found.after) == (3, 512, '  default = "320"')
    check_lines(found, path.read_bytes(), data)


def test_a_file_that_may_be_another_caller_is_not_passed_over(tmp_path: Path) -> None:
    """A file too large to be read may call the module too, so nothing is changed there."""
    write(
        tmp_path,
        'resource "aws_lambda_function" "f" {\n  function_name = "only"\n  memory_size = 256\n}\n',
        "modules/fn/main.tf",
    )
    write(tmp_path, 'module "a" {\n  source = "./modules/fn"\n}\n')
    folder = tmp_path / "modules/fn"
    found, _ = edited(folder, "only", 320)
    assert found.was_mb == 256
    write(tmp_path, "#" * 1_100_000 + '\nmodule "b" {\n  source = "./modules/fn"\n}\n', "more.tf")
    assert "more.tf is over 1 MB" in refusal(folder, "only", 320)


@settings(max_examples=30)
@given(
    comment=st.text('äx🙂#{}"', max_size=5),
    quote=st.sampled_from(["", '"']),
    bom=st.booleans(),
    new_line=st.sampled_from(["\n", "\r\n"]),
    has_memory=st.booleans(),
    memory_mb=st.integers(129, 10240),
)
def test_only_the_number_changes(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    comment: str,
    quote: str,
    bom: bool,
    new_line: str,
    has_memory: bool,
    memory_mb: int,
) -> None:
    """Byte for byte, with any line break, byte order mark and comments."""
    memory = f"  memory_size   = {quote}777{quote} # {comment}\n" if has_memory else ""
    text = (
        f'# {comment}\nresource "aws_lambda_function" "f" {{\n  function_name = "f" // {comment}\n'
        f'{memory}}}\nresource "aws_lambda_function" "g" {{\n  memory_size = 777\n}}\n'
    ).replace("\n", new_line)
    folder = tmp_path_factory.mktemp("t")
    before = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    write(folder).write_bytes(before)
    found, after = edited(folder, "f", memory_mb)
    check_lines(found, before, after)
    line = f"  memory_size   = {memory_mb}{new_line}".encode()
    if has_memory:
        assert after == before.replace(b"777", str(memory_mb).encode(), 1)
    else:
        assert after.replace(line, b"", 1) == before


def test_an_element_of_for_each_is_changed_where_only_it_gets_its_memory(tmp_path: Path) -> None:
    """Per key, through a module's call too; what all elements share, or lack, is refused."""
    inner = write(
        tmp_path,
        'variable "functions" {}\nresource "aws_lambda_function" "f" {\n'
        '  for_each = var.functions\n  function_name = "shop-${each.key}"\n'
        "  memory_size = try(each.value.memory_size, 128)\n}\n"
        'resource "aws_cloudwatch_log_group" "g" {\n  for_each = var.functions\n'
        '  name = "/aws/lambda/${each.key}-${each.value.name}"\n}\n'
        'output "names" {\n  value = [for k, v in var.functions : v.name]\n}\n',
        "modules/fn/main.tf",
    )
    outer = write(
        tmp_path,
        'module "all" {\n  source = "./modules/fn"\n  functions = {\n'
        '    a = { name = "x", memory_size = 512 } # a\n    "b" = { name = "y" }\n'
        "    c = { memory_size = local.shared }\n    d = { memory_size = local.shared }\n  }\n}\n"
        "locals {\n  shared = 256\n}\n",
    )
    found, after = edited(tmp_path, "shop-a", 320, was_mb=512)
    assert (found.path, found.line) == (outer, 4)
    assert after == outer.read_bytes().replace(b"512", b"320")
    said = refusal(tmp_path, "shop-b", 320)
    assert said.startswith(f"{inner}:5: the memory is the default 128 here: write memory_size in")
    assert "read in 2 places" in refusal(tmp_path, "shop-c", 320)
    inner.write_bytes(inner.read_bytes().replace(b": v.name", b": v"))
    assert "read in 2 places" in refusal(tmp_path, "shop-a", 320)


def test_a_deployed_name_tells_which_values_count(tmp_path: Path) -> None:
    """What the name has in a variable's place chooses the file of values, or the map's value."""
    write(
        tmp_path,
        'variable "env" {}\nvariable "memory" {}\nlocals {\n'
        "  sizes = {\n    prod = 512\n    dev = 256\n  }\n}\n"
        'resource "aws_lambda_function" "f" {\n  function_name = "billing-${var.env}-worker"\n'
        "  memory_size = var.memory\n}\n"
        'resource "aws_lambda_function" "g" {\n  function_name = "${var.env}-map"\n'
        "  memory_size = local.sizes[var.env]\n}\n",
    )
    prod = write(tmp_path, 'env = "prod"\nmemory = 1024\n', "one.tfvars")
    write(tmp_path, 'env = "dev"\nmemory = 128\n', "two.tfvars")
    write(tmp_path, 'resource "aws_lambda_function" "e" { function_name = "" }\n', "empty.tf")
    found, after = edited(tmp_path, "billing-prod-worker", 320, was_mb=1024)
    assert (found.path, after) == (prod, b'env = "prod"\nmemory = 320\n')
    found, _ = edited(tmp_path, "dev-map", 320, was_mb=256)
    assert found.line == 6


def test_a_root_finds_its_functions_in_modules_elsewhere(tmp_path: Path) -> None:
    """By the root's folder or file; two roots with one module are told apart by it."""
    module = 'variable "m" {}\nresource "aws_lambda_function" "f" {\n  memory_size = var.m\n}\n'
    write(tmp_path, module, "modules/fn/main.tf")
    write(tmp_path, 'module "in" {\n  source = "../fn"\n  m = 256\n}\n', "modules/two/main.tf")
    one = write(tmp_path, 'module "x" {\n  source = "../modules/fn"\n  m = 512\n}\n', "one/main.tf")
    write(tmp_path, 'module "y" {\n  source = "../modules/two"\n}\n', "two/main.tf")
    assert edited(one.parent, "f", 320)[0].path == one
    assert edited(one, "f", 320)[0].path == one
    assert edited(tmp_path / "two", "f", 320)[0].line == 3
    said = refusal(tmp_path, "f", 320)
    assert f"module.x.aws_lambda_function.f of {tmp_path / 'one'}" in said


def test_a_module_from_elsewhere_is_changed_where_it_is_given_its_memory(tmp_path: Path) -> None:
    """By the argument that says memory; without one nothing tells that it makes a function."""
    text = """\
module "a" {
  source = "git@github.com:some/terraform-aws-lambda?ref=tags/v1"
  name = "a-x"
  memory_size = 512
}
module "b" {
  source = "github.com/some/modules//lambda?ref=1"
  lambda_name = "b-x"
  memory = 512
}
module "c" {
  source = "some/lambda-alarm/x"
  memory = 512
  name = "c-x"
}
module "d" {
  source = "x/y/lambda"
  name = "d-x"
}
"""
    write(tmp_path, text)
    assert edited(tmp_path, "a-x", 320, was_mb=512)[0].line == 4
    found, after = edited(tmp_path, "b-x", 320, was_mb=512)
    assert (found.line, after.decode()) == (9, text.replace("memory = 512", "memory = 320", 1))
    for name in ("c-x", "d-x"):
        assert "nothing here declares" in refusal(tmp_path, name)
