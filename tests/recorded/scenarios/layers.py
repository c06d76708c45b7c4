"""Layers: publish, list, and delete them, and lay them under functions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.local_api.conftest import make_zip
from tests.recorded.replay import ARN, FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

LAYER = ARN.replace(f"function:{FN}", "layer:tools")
FILES = make_zip("VALUE = 1")
_PLAIN = {"CompatibleRuntimes": ["python3.12"], "CompatibleArchitectures": ["x86_64"]}


def _publish(play: Player, step: str, name: str = "tools", **members: Any) -> None:
    given = {**_PLAIN, "Content": {"ZipFile": FILES}, **members}
    play(step, "publish_layer_version", LayerName=name, **given)


def lifecycle(play: Player) -> None:
    def config(step: str) -> None:
        play(step, "get_function_configuration", FunctionName=FN)

    told = {"LicenseInfo": "any", "Description": "of tools"}
    play.created()
    play("get_fn_result", "get_function", FunctionName=FN)
    config("get_fn_config_result")
    _publish(play, "publish_result", **told)
    _publish(play, "publish_result_2", **told)
    play(
        "update_fn_config", "update_function_configuration", FunctionName=FN, Layers=[f"{LAYER}:1"]
    )
    play.wait()
    config("get_fn_config")
    play("get_layer_ver_result", "get_layer_version", LayerName="tools", VersionNumber=1)
    play("get_layer_by_arn_version", "get_layer_version_by_arn", Arn=f"{LAYER}:1")
    play("list_layer_versions_predelete", "list_layer_versions", LayerName="tools")
    for number in (1, 2):
        play(
            f"delete_layer_{number}",
            "delete_layer_version",
            LayerName="tools",
            VersionNumber=number,
        )
        config("get_fn_config_postdelete")
    play("list_layer_versions_postdelete", "list_layer_versions", LayerName="tools")
    _publish(play, "publish_result_3", **told)


def refused(play: Player) -> None:
    _publish(play, "publish_result")
    wrong = "list_layers_exc_compatible"
    play(f"{wrong}runtime_invalid", "list_layers", CompatibleRuntime="runtimedoesnotexist")
    for step, runtimes, architectures in (
        ("invalid_runtime_arch", [], []),
        ("partially_invalid_values", ["invalidruntime2", "nodejs20.x"], ["x86_64"]),
    ):
        _publish(
            play,
            f"publish_layer_version_exc_{step}",
            CompatibleRuntimes=["invalidruntime", *runtimes],
            CompatibleArchitectures=["invalidarch", *architectures],
        )
    play(f"{wrong}architecture_invalid", "list_layers", CompatibleArchitecture="archdoesnotexist")
    play("list_nonexistent_layer", "list_layer_versions", LayerName="layerdoesnotexist")
    absent = "layer_version_doesnotexist"
    for step, name, number in (
        ("layer_doesnotexist", "layerdoesnotexist", 1),
        (f"{absent}_negative", "tools", -1),
        (f"{absent}_zero", "tools", 0),
        (f"{absent}_2", "tools", 2),
    ):
        play(
            f"get_layer_version_exc_{step}",
            "get_layer_version",
            LayerName=name,
            VersionNumber=number,
        )
    for step, arn in (("invalidarn", LAYER), ("nonexistentversion", f"{LAYER}:2")):
        play(f"get_layer_version_by_arn_exc_{step}", "get_layer_version_by_arn", Arn=arn)
    for step, name, number in (
        ("delete_nonexistent_response", "layerdoesnotexist", 1),
        ("delete_nonexistent_version_response", "tools", 2),
        ("delete_layer_response", "tools", 1),
        ("delete_layer_again_response", "tools", 1),
        ("delete_layer_version_exc_layerversion_invalid_version", "tools", -1),
    ):
        play(step, "delete_layer_version", LayerName=name, VersionNumber=number)
    empty: dict[str, list[str]] = {"CompatibleRuntimes": [], "CompatibleArchitectures": []}
    _publish(play, "publish_empty_result", "tools-empty", **empty)


def under_functions(play: Player) -> None:
    for step in ("publish_result", "publish_result_2", "publish_result_3"):
        _publish(play, step, CompatibleRuntimes=[])
    play.created(Code={"ZipFile": make_zip()})
    play("get_fn_result", "get_function", FunctionName=FN)
    for step, layers in (
        ("two_layer_versions_single_function_exc", ["1", "2"]),
        ("three_layer_versions_single_function_exc", ["1", "2", "3"]),
        ("two_identical_layer_versions_single_function_exc", ["1", "1"]),
        ("add_nonexistent_layer_version_exc", ["9"]),
    ):
        arns = [f"{LAYER}:{number}" for number in layers]
        play(step, "update_function_configuration", FunctionName=FN, Layers=arns)
    for step, arn in (
        ("add_nonexistent_layer_exc", f"{LAYER.replace('tools', 'doesnotexist')}:1"),
        ("add_layer_arn_without_version_exc", LAYER),
        (
            "create_function_with_layer_in_different_region",
            f"{LAYER.replace('us-east-1', 'eu-central-1')}:1",
        ),
    ):
        play(step, "update_function_configuration", FunctionName=FN, Layers=[arn])


def too_many(play: Player) -> None:
    for number in range(6):
        _publish(play, "", f"tools{number}")
    arns = [f"{LAYER}{number}:1" for number in range(6)]
    play.create("create_function_with_six_layers", Layers=arns)


def compatible(play: Player, runtimes: list[str]) -> None:
    _publish(
        play,
        "publish_result",
        CompatibleRuntimes=runtimes,
        CompatibleArchitectures=["arm64", "x86_64"],
    )


_SETS = (
    [
        *("nodejs24.x", "nodejs22.x", "nodejs20.x", "nodejs18.x", "nodejs16.x", "nodejs14.x"),
        *("nodejs12.x", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"),
        *("python3.9", "python3.8", "python3.7"),
    ],
    [
        *("java25", "java21", "java17", "java11", "java8.al2", "java8", "dotnet10", "dotnet8"),
        *("dotnet6", "dotnetcore3.1", "go1.x", "ruby3.4", "ruby3.3", "ruby3.2", "ruby2.7"),
    ],
    ["provided.al2023", "provided.al2", "provided"],
)
_IN = "TestLambdaLayer::test_layer"


def _permit(play: Player, step: str, **members: Any) -> Any:
    given = {
        "LayerName": "tools",
        "VersionNumber": 1,
        "StatementId": "s1",
        "Action": "lambda:GetLayerVersion",
        "Principal": "*",
    }
    return play(step, "add_layer_version_permission", **{**given, **members})


def policy_refused(play: Player) -> None:
    version = {"LayerName": "tools", "VersionNumber": 1}
    get, remove = "get_layer_version_policy", "remove_layer_version_permission"
    _publish(play, "publish_result")
    play("layer_permission_nopolicy_get", get, **version)
    _permit(play, "add_layer_permission_result")
    _permit(play, "layer_permission_action_invalid", StatementId="s2", Action="*")
    _permit(play, "layer_permission_duplicate_statement")
    _permit(play, "layer_permission_wrong_revision", StatementId="s2", RevisionId="wrong")
    for step, absent in (
        ("layername", {"LayerName": "tools-doesnotexist"}),
        ("layerversion", {"VersionNumber": 2}),
    ):
        named = f"layer_permission_{step}_doesnotexist"
        _permit(play, f"{named}_add", **absent)
        play(f"{named}_get", get, **{**version, **absent})
        play(f"{named}_remove", remove, **{**version, **absent}, StatementId="s1")
    for step, members in (
        ("statementid_doesnotexist_remove", {"StatementId": "doesnotexist"}),
        ("wrong_revision_remove", {"StatementId": "s1", "RevisionId": "wrong"}),
    ):
        play(f"layer_permission_{step}", remove, **version, **members)


def policy_lifecycle(play: Player) -> None:
    version = {"LayerName": "tools", "VersionNumber": 1}
    get = "get_layer_version_policy"
    _publish(play, "publish_result")
    first = _permit(play, "add_policy_s1")
    play(get, get, **version)
    second = _permit(play, "add_policy_s2", StatementId="s2", RevisionId=first["RevisionId"])
    play(f"{get}_postadd2", get, **version)
    play(
        "remove_s2",
        "remove_layer_version_permission",
        **version,
        StatementId="s2",
        RevisionId=second["RevisionId"],
    )
    play(f"{get}_postdeletes2", get, **version)


SCENARIOS: dict[str, Callable[[Player], None]] = {
    f"{_IN}_lifecycle": lifecycle,
    f"{_IN}_exceptions": refused,
    f"{_IN}_function_exceptions": under_functions,
    f"{_IN}_function_quota_exception": too_many,
    **{
        f"{_IN}_compatibilities[runtimes{number}]": partial(compatible, runtimes=runtimes)
        for number, runtimes in enumerate(_SETS)
    },
    "TestLambdaLayer::test_layer_policy_exceptions": policy_refused,
    "TestLambdaLayer::test_layer_policy_lifecycle": policy_lifecycle,
}
