"""Create, read, change, and delete aliases; weights that are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.recorded.replay import ARN, FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player


def _staging(play: Player, **more: Any) -> None:
    play.create("create_response", Environment={"Variables": {"testenv": "staging"}}, **more)
    play.wait()


def _two_versions(play: Player, **more: Any) -> None:
    _staging(play, **more)
    play("publish_v1", "publish_version", FunctionName=FN)
    play(
        "",
        "update_function_configuration",
        FunctionName=FN,
        Environment={"Variables": {"testenv": "prod"}},
    )
    play.wait()
    play("publish_v2", "publish_version", FunctionName=FN)


def lifecycle(play: Player) -> None:
    def create(number: str, version: str, **more: Any) -> None:
        name = {"FunctionName": FN, "Name": f"aliasname{number}"}
        play(f"create_alias_{number}", "create_alias", **name, FunctionVersion=version, **more)
        play(f"get_alias_{number}", "get_alias", **name)

    def list_all(step: str) -> None:
        play(f"list_aliases_for_fnname_{step}", "list_aliases", FunctionName=FN)

    _two_versions(play)
    custom = {"Description": "custom-alias"}
    create("1_1", "1", **custom, RoutingConfig={"AdditionalVersionWeights": {"2": 0.2}})
    play("get_function_alias_1_1", "get_function", FunctionName=FN, Qualifier="aliasname1_1")
    play("get_function_byarn_alias_1_1", "get_function", FunctionName=f"{ARN}:aliasname1_1")
    missing = "aliasdoesnotexist"
    play("get_function_alias_notfound_exc", "get_function", FunctionName=FN, Qualifier=missing)
    play("get_function_alias_byarn_notfound_exc", "get_function", FunctionName=f"{ARN}:{missing}")
    create("1_2", "1", **custom)
    create("1_3", "1")
    create("2", "2", **custom)
    play.pages("list_aliases_for_fnname", "list_aliases", "Aliases", FunctionName=FN)
    for number, change in (
        ("1_1", {"RoutingConfig": {"AdditionalVersionWeights": {}}}),
        ("1_2", {}),
    ):
        name = {"FunctionName": FN, "Name": f"aliasname{number}"}
        play(f"update_alias_{number}", "update_alias", **name, **change)
        play(f"get_alias_{number}_after_update", "get_alias", **name)
        list_all("after_update" if number == "1_1" else "after_update_2")
    play("list_aliases_for_version", "list_aliases", FunctionName=FN, FunctionVersion="1")
    play("delete_alias_response", "delete_alias", FunctionName=FN, Name="aliasname1_1")
    list_all("afterdelete")


def refused(play: Player) -> None:
    def create(step: str, version: str = "1", name: str = "custom", **weights: float) -> None:
        routing = {number.removeprefix("v"): weight for number, weight in weights.items()}
        play(
            step,
            "create_alias",
            FunctionName=FN,
            Name=name,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": routing},
        )

    _two_versions(play, Publish=True)
    create("routing_config_exc_toomany", v1=0.8, v2=0.2)
    create("routing_config_exc_toohigh", v2=2)
    create("routing_config_exc_subzero", v2=-1)
    create("routing_config_exc_sameversion", v1=0.5)
    create("target_version_doesnotexist", "10", v2=0.5)
    create("routing_config_exc_version_doesnotexist", v10=0.5)
    create("target_version_exc_version_latest", "$LATEST", v1=0.5)
    create("routing_config_exc_version_latest", **{"$LATEST": 0.5})
    plain: dict[str, Any] = {"FunctionName": FN, "FunctionVersion": "$LATEST"}
    play("create-alias-latest", "create_alias", **plain, Name="custom-latest")
    play(
        "routing_config_exc_fn_doesnotexist",
        "create_alias",
        FunctionName=f"{FN}-unknown",
        Name="custom",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    create("create_alias_empty_routingconfig", name="custom-empty-routingconfig")
    create("create_alias_response", v2=0.5)
    create("routing_config_exc_already_exist", v2=0.5)
    play("alias_does_not_exist_esc", "get_alias", FunctionName=FN, Name="non-existent")


def naming(play: Player) -> None:
    _staging(play)
    play("publish_v1", "publish_version", FunctionName=FN)
    for step, name in (
        ("create_alias_date", "2024-01-02"),
        ("create_alias_number_exception", "2024"),
    ):
        play(
            step,
            "create_alias",
            FunctionName=FN,
            Name=name,
            FunctionVersion="1",
            Description="custom-alias",
        )
    play("get_alias_date", "get_alias", FunctionName=FN, Name="2024-01-02")


def absent(play: Player) -> None:
    _staging(play)
    play("delete_alias_response", "delete_alias", FunctionName=FN, Name="non-existent")
    play("update_alias_response", "update_alias", FunctionName=FN, Name="non-existent")


_IN = "TestLambdaAlias::test"


def shared(play: Player) -> None:
    play.created()
    for number in (1, 2):
        play("", "update_function_configuration", FunctionName=FN, Description=f"of {number}")
        play.wait()
        play("", "publish_version", FunctionName=FN)
    play(
        "create_alias_response",
        "create_alias",
        FunctionName=FN,
        Name="alias1",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )


SCENARIOS: dict[str, Callable[[Player], None]] = {
    f"{_IN}_alias_lifecycle": lifecycle,
    f"{_IN}_notfound_and_invalid_routingconfigs": refused,
    f"{_IN}_alias_naming": naming,
    f"{_IN}_non_existent_alias_deletion": absent,
    f"{_IN}_non_existent_alias_update": absent,
    "TestLambdaAliases::test_alias_routingconfig": shared,
}
