"""In CDK's Python and TypeScript a function's memory is changed where it's made, if only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.iac.editing import check_lines, edited, refusal

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = """\
from aws_cdk import Stack, aws_lambda as lambda_, aws_events_targets as targets
from aws_cdk.aws_lambda_python_alpha import PythonFunction

_ALONE = 768
BOTH = 640
common = {"runtime": lambda_.Runtime.PYTHON_3_13, "handler": "a.b"}
sized = dict(runtime="x", memory_size=384)


class Shop(Stack):
    def __init__(self, scope, id, memory, **kwargs):
        super(Shop, self).__init__(scope, id, **kwargs)
        own = lambda_.Function(self, "Own", memory_size=2048, handler="a.b")  # of its own
        PythonFunction(
            self,
            "Bare",
            function_name="bare",
            runtime=lambda_.Runtime.PYTHON_3_13,  # newest
            entry="src",
        )
        lambda_.Function(self, "Alone", memory_size=_ALONE)
        lambda_.Function(self, "First", memory_size=BOTH)
        lambda_.Function(self, "Second", memory_size=BOTH)
        lambda_.Function(self, "Spread", code=1, **common)
        lambda_.Function(self, "Sized", code=1, **sized)
        lambda_.Function(self, "Given", memory_size=memory)
        lambda_.Function(self, "Unknown", code=1, **kwargs)
        lambda_.Function(self, id + "Made", memory_size=256)
        for name in ("a", "b"):
            lambda_.Function(self, "Loop", memory_size=256)
        targets.LambdaFunction(own)
"""
TYPESCRIPT = """\
import * as cdk from 'aws-cdk-lib';
import { aws_lambda as lambda } from 'aws-cdk-lib';
import { NodejsFunction, NodejsFunctionProps as Props } from "aws-cdk-lib/aws-lambda-nodejs";
import * as targets from 'aws-cdk-lib/aws-events-targets';

const ALONE = 768;
const BOTH = 640;
const common: Props = { runtime: 'x', memorySize: 384 };
const whole = { handler: 'a.b', timeout: 3 };

export class Shop extends cdk.Stack {
  constructor(scope: Construct, id: string, props: ShopProps) {
    super(scope, id, props);
    const own = new lambda.Function(this, 'Own', { memorySize: 2048, handler: 'a.b' }); // own
    new NodejsFunction(this, 'Bare', {
      functionName: 'bare',
      runtime: lambda.Runtime.NODEJS_22_X, // newest
    });
    new cdk.aws_lambda.Function(this, 'Alone', { memorySize: ALONE });
    new lambda.Function(this, 'First', { memorySize: BOTH });
    new lambda.Function(this, 'Second', { memorySize: BOTH });
    new NodejsFunction(this, 'Spread', { ...common });
    new NodejsFunction(this, 'Sized', { ...common, entry: 'x' });
    new lambda.Function(this, 'Whole', whole);
    new lambda.Function(this, 'Again', whole);
    new NodejsFunction(this, 'nothing');
    new lambda.Function(this, 'Given', { memorySize: props.memory ?? 512 });
    new lambda.Function(this, 'Unknown', { ...props });
    new lambda.Function(this, `${id}Made`, { memorySize: 256 });
    ['a', 'b'].forEach((name) => {
      new lambda.Function(this, 'Loop', { memorySize: 256 });
    });
    new targets.LambdaFunction(own);
  }
}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    (folder / "cdk.json").write_text("{}")
    return path


@pytest.mark.parametrize(
    ("name", "was_mb", "after", "shared_by"),
    [
        ("Own", 2048, '"Own", memory_size=320, handler="a.b")  # of its own', ()),
        ("ShopStack-Own1A2B3C4D-aBcD12", 2048, None, ()),
        (
            "bare",
            128,
            "memory_size=320,\n            runtime=lambda_.Runtime.PYTHON_3_13,  # newest",
            (),
        ),
        ("Alone", 768, "_ALONE = 320", ()),
        ("First", 640, '        lambda_.Function(self, "First", memory_size=320)', ("Second",)),
        ("Spread", 128, '(self, "Spread", memory_size=320, code=1, **common)', ()),
        ("Sized", 384, 'sized = dict(runtime="x", memory_size=320)', ()),
    ],
)
def test_python_is_changed_where_the_memory_is_the_functions_own(
    tmp_path: Path, *, name: str, was_mb: int, after: str | None, shared_by: tuple[str, ...]
) -> None:
    """A keyword, a constant, a shared dictionary; or a keyword is added."""
    path = write(tmp_path, "shop.py", PYTHON)
    found, data = edited(tmp_path, name, 320)
    assert (found.was_mb, found.shared_by) == (was_mb, shared_by)
    assert after is None or found.after.endswith(after)
    check_lines(found, path.read_bytes(), data)


@pytest.mark.parametrize(
    ("name", "was_mb", "after", "shared_by"),
    [
        ("Own", 2048, "'Own', { memorySize: 320, handler: 'a.b' }); // own", ()),
        ("ShopStack-ApiOwn1A2B3C4D-aBcD12", 2048, None, ()),
        (
            "bare",
            128,
            "      memorySize: 320,\n      runtime: lambda.Runtime.NODEJS_22_X, // newest",
            (),
        ),
        ("Alone", 768, "const ALONE = 320;", ()),
        ("First", 640, "    new lambda.Function(this, 'First', { memorySize: 320 });", ("Second",)),
        ("Spread", 384, "'Spread', { ...common, memorySize: 320 });", ("Sized",)),
        ("Sized", 384, "'Sized', { ...common, memorySize: 320, entry: 'x' });", ("Spread",)),
        ("Whole", 128, "'Whole', { ...whole, memorySize: 320 });", ("Again",)),
        ("nothing", 128, "    new NodejsFunction(this, 'nothing', { memorySize: 320 });", ()),
    ],
)
def test_typescript_is_changed_where_the_memory_is_the_functions_own(
    tmp_path: Path, *, name: str, was_mb: int, after: str | None, shared_by: tuple[str, ...]
) -> None:
    """A property, a constant; or a property is added, behind what is spread."""
    path = write(tmp_path, "lib/shop.ts", TYPESCRIPT)
    found, data = edited(tmp_path, name, 320)
    assert (found.was_mb, found.shared_by) == (was_mb, shared_by)
    assert after is None or found.after.endswith(after)
    check_lines(found, path.read_bytes(), data)


@pytest.mark.parametrize(("file", "text"), [("shop.py", PYTHON), ("lib/shop.ts", TYPESCRIPT)])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Given", "which is no number in this file"),
        ("Unknown", "which isn't known here"),
        ("Loop", "a loop makes this function"),
    ],
)
def test_what_the_program_makes_is_refused_with_its_line(
    tmp_path: Path, file: str, text: str, *, name: str, words: str
) -> None:
    """Never a guess."""
    path = write(tmp_path, file, text)
    said = refusal(tmp_path, name, 320)
    assert words in said
    assert said.startswith(f"{path}:")


@pytest.mark.parametrize(("file", "text"), [("shop.py", PYTHON), ("lib/shop.ts", TYPESCRIPT)])
def test_a_made_id_is_refused_with_its_line(tmp_path: Path, file: str, text: str) -> None:
    """The line may make several functions."""
    write(tmp_path, file, text)
    name = 'id + "Made"' if file.endswith(".py") else "`${id}Made`"
    said = refusal(tmp_path, name.replace('"', "'") if file.endswith(".py") else name)
    assert "nothing here uses Shop" in said


@pytest.mark.parametrize("again", ["app.py", "test_app.py", "tests/app.py"])
def test_a_class_that_is_used_twice_is_refused(tmp_path: Path, again: str) -> None:
    """Each use makes the function; a test's use counts for nothing."""
    write(tmp_path, "shop.py", PYTHON)
    write(tmp_path, "main.py", "from shop import Shop\nShop(app, 'dev')\n")
    write(tmp_path, again, "from shop import Shop\nShop(app, 'prod')\n")
    if again == "app.py":
        assert "Shop is used 2 times" in refusal(tmp_path, "Own")
    else:
        assert edited(tmp_path, "Own")[0].was_mb == 2048


def test_a_construct_that_is_used_twice_is_refused_in_typescript(tmp_path: Path) -> None:
    """Each use makes the function."""
    write(tmp_path, "lib/shop.ts", TYPESCRIPT)
    write(tmp_path, "bin/app.ts", "new Shop(app, 'dev', {});\nnew Shop(app, 'prod', {});\n")
    said = refusal(tmp_path, "Own")
    assert "Shop is used 2 times" in said
    assert "bin/app.ts:2" in said


@settings(max_examples=40)
@given(
    comment=st.text("äx🙂#'", max_size=4),
    bom=st.booleans(),
    new_line=st.sampled_from(["\n", "\r\n"]),
    has_memory=st.booleans(),
    is_python=st.booleans(),
    memory_mb=st.integers(129, 10240),
)
def test_only_the_number_changes(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    comment: str,
    bom: bool,
    new_line: str,
    has_memory: bool,
    is_python: bool,
    memory_mb: int,
) -> None:
    """Byte for byte, with any line break, byte order mark and comments."""
    mark = "#" if is_python else "//"
    if is_python:
        memory = f"  memory_size=777,  # {comment}\n" if has_memory else ""
        code = (
            f"from aws_cdk import aws_lambda\naws_lambda.Function(\n  app, 'F', # {comment}\n"
            f"  handler='a.b', # {comment}\n{memory})\n"
            "aws_lambda.Function(app, 'G', memory_size=777)\n"
        )
        line = f"  memory_size={memory_mb},\n"
    else:
        memory = f"  memorySize: 777,  // {comment}\n" if has_memory else ""
        code = (
            "import { aws_lambda } from 'aws-cdk-lib';\n"
            f"new aws_lambda.Function(app, 'F', {{ // {comment}\n"
            f"  handler: 'a.b', // {comment}\n{memory}}});\n"
            "new aws_lambda.Function(app, 'G', { memorySize: 777 });\n"
        )
        line = f"  memorySize: {memory_mb},\n"
    code = f"{mark} {comment}\n{code}".replace("\n", new_line)
    folder = tmp_path_factory.mktemp("t")
    before = (b"\xef\xbb\xbf" if bom else b"") + code.encode()
    path = write(folder, "app.py" if is_python else "app.ts", "")
    path.write_bytes(before)
    found, after = edited(path, "F", memory_mb)
    check_lines(found, before, after)
    if has_memory:
        assert after == before.replace(b"777", str(memory_mb).encode(), 1)
    else:
        assert after.replace(line.replace("\n", new_line).encode(), b"", 1) == before


def test_pulumi_is_changed_where_the_memory_is_written(tmp_path: Path) -> None:
    """A literal in Python and TypeScript; the id comes first, and seven digits are added to it."""
    (tmp_path / "app.py").write_text(
        "import pulumi_aws as aws\naws.lambda_.Function('one', name='first', memory_size=512)\n"
    )
    (tmp_path / "index.ts").write_text(
        'import * as aws from "@pulumi/aws";\n'
        'const two = new aws.lambda.Function("two", { runtime: "x" });\n'
        'new aws.lambda.CallbackFunction("three", { memorySize: 1024, callback: f });\n'
    )
    assert edited(tmp_path, "first", 320)[0].after.endswith("name='first', memory_size=320)")
    found, _ = edited(tmp_path, "two-1a2b3c4", 320)
    assert (found.was_mb, found.line) == (128, 2)
    assert '"two", { memorySize: 320, runtime: "x" });' in found.after
    assert edited(tmp_path, "three-0f1e2d3", 320)[0].was_mb == 1024


@pytest.mark.parametrize(
    ("name", "text", "other", "more"),
    [
        (
            "shop.py",
            PYTHON,
            "main.py",
            "class Big(Other, Shop): ...\nShop(app, 'a')\nBig(app, 'b')\n",
        ),
        (
            "lib/shop.ts",
            TYPESCRIPT,
            "bin/app.ts",
            "class Big extends Shop {}\nnew Shop(app, 'a');\nnew Big(app, 'b');\n",
        ),
    ],
)
def test_a_class_made_of_it_makes_the_function_too(
    tmp_path: Path, *, name: str, text: str, other: str, more: str
) -> None:
    """Both have the same line."""
    write(tmp_path, name, text)
    write(tmp_path, other, more)
    assert "Shop is used 2 times" in refusal(tmp_path, "Own")
