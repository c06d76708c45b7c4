"""Which of a CDK program's lines make one function, and under which name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.iac.editing import edited, refusal

if TYPE_CHECKING:
    from pathlib import Path

STACK = {
    "py": """\
from aws_cdk import Stack, aws_lambda as lambda_
class Shop(Stack):
    def __init__(self, scope, prefix):
        lambda_.Function(self, prefix + "Worker", handler="worker.run", timeout=3)
""",
    "ts": """\
import * as lambda from 'aws-cdk-lib/aws-lambda';
export class Shop extends Stack {
  constructor(scope, prefix) {
    new lambda.Function(this, `${prefix}Worker`, { handler: 'worker.run', timeout: 3 });
  }
}
""",
}
APP = {
    "py": {
        "once": 'from shop import Shop\nShop(app, "One")\n',
        "loop": "from shop import Shop\nfor stage in STAGES:\n    Shop(app, stage)\n",
        "outer": (
            "from shop import Shop\nclass Stage:\n    def __init__(self, app):\n"
            '        Shop(app, "One")\nStage(dev)\nStage(prod)\n'
        ),
    },
    "ts": {
        "once": "import { Shop } from './s';\n// new Shop(app)\nnew Shop(app, 'One', {\n});\n",
        "loop": (
            "import { Shop } from './shop';\nSTAGES.forEach((stage) => {\n  new Shop(app, stage);\n"
            "});\n"
        ),
        "outer": (
            "import { Shop } from './shop';\nclass Stage {\n  constructor(app) {\n"
            "    new Shop(app, 'One');\n  }\n}\nnew Stage(dev, {\n});\nnew Stage(prod, {\n});\n"
        ),
    },
}
KEY = {"py": "prefix + 'Worker'", "ts": "`${prefix}Worker`"}


def write(folder: Path, language: str, app: str) -> Path:
    (folder / "cdk.json").write_text("{}")
    (folder / f"app.{language}").write_text(APP[language][app])
    path = folder / f"shop.{language}"
    path.write_text(STACK[language])
    return path


@pytest.mark.parametrize("language", ["py", "ts"])
def test_a_line_that_runs_once_is_changed_whatever_its_id(tmp_path: Path, language: str) -> None:
    """A computed id is no reason to refuse; code that runs several times is, however far out."""
    path = write(tmp_path, language, "once")
    found, _ = edited(tmp_path, KEY[language], 320)
    assert (found.path, found.was_mb) == (path, 128)
    own = {"py": "def Shop():\n    pass\nShop()\n", "ts": "function Shop() {}\nnew Shop();\n"}
    (tmp_path / f"another.{language}").write_text(own[language])
    assert edited(tmp_path, KEY[language], 320)[0].path == path
    write(tmp_path, language, "loop")
    assert "Shop is used in a loop" in refusal(tmp_path, KEY[language])
    write(tmp_path, language, "outer")
    assert "Stage is used 2 times" in refusal(tmp_path, KEY[language])


def test_what_typescript_was_compiled_to_is_left_out(tmp_path: Path) -> None:
    """It's no second use of a class, and no second place of a function."""
    path = write(tmp_path, "ts", "once")
    for name in ("app", "shop"):
        (tmp_path / f"{name}.js").write_bytes((tmp_path / f"{name}.ts").read_bytes())
    assert edited(tmp_path, KEY["ts"], 320)[0].path == path


def test_a_memory_follows_what_is_spread_on_its_own_line(tmp_path: Path) -> None:
    """What is spread would replace what stands before it; the new line looks like its neighbor."""
    (tmp_path / "cdk.json").write_text("{}")
    path = tmp_path / "a.ts"
    path.write_text(
        "import { Function } from 'aws-cdk-lib/aws-lambda';\nconst all = { memorySize: 512 };\n"
        "new Function(app, 'F', {\n  code,\n  ...all,\n});\n"
        "new Function(app, 'G', { ...all });\n"
    )
    found, _ = edited(path, "F", 320, was_mb=512)
    assert (found.after, found.shared_by) == ("  ...all,\n  memorySize: 320,", ("G",))
    assert edited(path, "G", 320)[0].after.endswith("{ ...all, memorySize: 320 });")


@pytest.mark.parametrize("language", ["py", "ts"])
def test_a_synthesized_app_tells_deployed_names(tmp_path: Path, language: str) -> None:
    """By what `cdk synth` wrote: logical id, generated name, shortened or not, and given name."""
    write(tmp_path, language, "once")
    out = tmp_path / "cdk.out"
    out.mkdir()
    stack = {"properties": {"templateFile": "One.template.json", "stackName": "shop-one"}}
    (out / "manifest.json").write_text(json.dumps({"artifacts": {"One": stack}}))
    logical_id = "ApiVeryLongConstructNameAround" + "BlueWorker1A2B3C4D"
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Handler": "worker.run", "MemorySize": 128},
        "Metadata": {"aws:cdk:path": "One/Api/BlueWorker/Resource"},
    }
    other = {
        **function,
        "Properties": {"Handler": "other.run", "FunctionName": "other"},
        "Metadata": {"aws:cdk:path": "One/OtherWorker/Resource"},
    }
    resources = {logical_id: function, "OtherWorker5E6F7A8B": other}
    (out / "One.template.json").write_text(json.dumps({"Resources": resources}))
    shortened = f"shop-one-{logical_id[:42]}-Ab1Cd2Ef3Gh4"
    for name in (logical_id, f"shop-one-{logical_id}-Ab1Cd2Ef3Gh4", shortened):
        assert edited(tmp_path, name, 320)[0].path == tmp_path / f"shop.{language}"
    assert "nothing here" in refusal(tmp_path, "other")


@pytest.mark.parametrize(
    ("imported", "name"),
    [
        ("from shop.sizes import WORKER_MB", "WORKER_MB"),
        ("import shop.sizes as sizes", "sizes.WORKER_MB"),
        ("from shop import sizes", "sizes.WORKER_MB"),
    ],
)
def test_a_number_of_another_module_is_overridden(tmp_path: Path, imported: str, name: str) -> None:
    """It's known what it is, and others may use it; one that isn't a plain number is refused."""
    (tmp_path / "cdk.json").write_text("{}")
    sizes = tmp_path / "shop" / "sizes.py"
    sizes.parent.mkdir()
    sizes.write_text("WORKER_MB = 512\n")
    path = tmp_path / "shop" / "stack.py"
    path.write_text(
        f"from aws_cdk import aws_lambda\n{imported}\n"
        f'aws_lambda.Function(app, "F", memory_size={name})\n'
    )
    found, after = edited(path, "F", 320, was_mb=512)
    assert (found.was_mb, after.decode()) == (512, path.read_text().replace(f"={name}", "=320"))
    sizes.write_text("WORKER_MB = int(read())\n")
    assert "no number in this file" in refusal(path, "F", 320)


def test_a_class_that_another_package_uses_twice_is_refused(tmp_path: Path) -> None:
    """Whoever imports the package by its name uses the class too, through a namespace as well."""
    (tmp_path / ".git").mkdir()
    library, app = tmp_path / "library", tmp_path / "app"
    for folder, name in ((library, "@shop/parts"), (app, "app")):
        (folder / "lib").mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps({"name": name}))
    path = library / "lib" / "part.ts"
    path.write_text(
        "import { Function, FunctionProps } from 'aws-cdk-lib/aws-lambda';\n"
        "export class Part {\n  constructor(scope) {\n"
        "    new Function(scope, 'F', <FunctionProps>{ timeout: 3, memorySize: 512 });\n  }\n}\n"
    )
    user = app / "lib" / "stack.ts"
    user.write_text("import * as parts from '@shop/parts/lib/part';\nnew parts.Part(one);\n")
    assert edited(path, "F", 320)[0].was_mb == 512
    user.write_text(user.read_text() + "new parts.Part(two);\n")
    assert "Part is used 2 times" in refusal(path, "F")


@pytest.mark.parametrize(
    ("language", "module"),
    [
        ("py", "from aws_cdk import aws_stepfunctions as sfn\nsfn."),
        ("ts", "import * as sfn from 'aws-cdk-lib/aws-stepfunctions';\nnew sfn."),
        ("ts", "import { Shop } from 'aws-cdk-lib/aws-stepfunctions';\nnew "),
        ("ts", "import { Shop as Other } from 'aws-cdk-lib/aws-stepfunctions';\nnew "),
    ],
)
def test_a_class_of_the_library_is_not_the_apps_own(
    tmp_path: Path, language: str, module: str
) -> None:
    """A class may have the name of one of CDK's, which makes no function of it."""
    write(tmp_path, language, "once")
    (tmp_path / f"flow.{language}").write_text(f"{module}Shop(this, 'Flow')\n")
    if "Other" in module:
        assert "Shop is used 2 times" in refusal(tmp_path, KEY[language])
    else:
        assert edited(tmp_path, KEY[language], 320)[0].was_mb == 128
