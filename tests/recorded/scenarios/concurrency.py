"""Reserved and provisioned concurrency, and how events are tried again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.recorded.replay import ARN, FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player


def reserved(play: Player) -> None:
    play.created()
    for count in (0, 1):
        play(
            f"put_function_concurrency_with_reserved_{count}",
            "put_function_concurrency",
            FunctionName=FN,
            ReservedConcurrentExecutions=count,
        )
    play("get_function_concurrency", "get_function_concurrency", FunctionName=FN)
    play("delete_response", "delete_function_concurrency", FunctionName=FN)
    play("get_function_concurrency_after_delete", "get_function_concurrency", FunctionName=FN)


def reserved_refused(play: Player) -> None:
    step = "put_function_concurrency_with_function_name_doesnotexist"
    for name, count in ((step, 1), (f"{step}_and_invalid_concurrency", 0)):
        play(
            name,
            "put_function_concurrency",
            FunctionName="doesnotexist",
            ReservedConcurrentExecutions=count,
        )
    play.created()
    play(
        "put_function_concurrency_with_qualified_arn",
        "put_function_concurrency",
        FunctionName=f"{ARN}:$LATEST",
        ReservedConcurrentExecutions=0,
    )


def reserved_limits(play: Player) -> None:
    play.created()
    for step, count in (("account_limit_exceeded", 1001), ("below_unreserved_min_value", 1000)):
        play(
            f"put_function_concurrency_{step}",
            "put_function_concurrency",
            FunctionName=FN,
            ReservedConcurrentExecutions=count,
        )


def reserved_and_back(play: Player, count: int) -> None:
    def get(step: str) -> None:
        play(f"get_function_concurrency_{step}", "get_function_concurrency", FunctionName=FN)

    play.created()
    get("default")
    play(
        "put_function_concurrency",
        "put_function_concurrency",
        FunctionName=FN,
        ReservedConcurrentExecutions=count,
    )
    get("updated")
    play("get_function_concurrency_info", "get_function", FunctionName=FN)
    play("", "delete_function_concurrency", FunctionName=FN)
    get("deleted")


def provisioned_absent(play: Player) -> None:
    play.created()
    play("publish_version_result", "publish_version", FunctionName=FN)
    for step, name, qualifier in (
        ("config_doesnotexist", FN, "1"),
        ("functionname_doesnotexist", "doesnotexist", "noalias"),
        ("qualifier_doesnotexist", FN, "noalias"),
        ("version_doesnotexist", FN, "10"),
        ("latest", FN, "$LATEST"),
    ):
        play(
            f"get_provisioned_{step}",
            "get_provisioned_concurrency_config",
            FunctionName=name,
            Qualifier=qualifier,
        )
    for step, name in (("noconfigs", FN), ("functionname_doesnotexist", "doesnotexist")):
        play(f"list_provisioned_{step}", "list_provisioned_concurrency_configs", FunctionName=name)
    for step, name, qualifier in (
        ("functionname_doesnotexist", "doesnotexist", "1"),
        ("qualifier_doesnotexist", FN, "noalias"),
        ("version_doesnotexist", FN, "10"),
        ("latest", FN, "$LATEST"),
        ("config_doesnotexist", FN, "1"),
    ):
        play(
            f"delete_provisioned_{step}",
            "delete_provisioned_concurrency_config",
            FunctionName=name,
            Qualifier=qualifier,
        )
    for step, name, qualifier in (
        ("invalid_param_0", FN, "1"),
        ("functionname_doesnotexist_alias", "doesnotexist", "noalias"),
        ("functionname_doesnotexist_version", "doesnotexist", "1"),
        ("qualifier_doesnotexist", FN, "doesnotexist"),
        ("version_doesnotexist", FN, "10"),
        ("latest", FN, "$LATEST"),
    ):
        play(
            f"put_provisioned_{step}",
            "put_provisioned_concurrency_config",
            FunctionName=name,
            Qualifier=qualifier,
            ProvisionedConcurrentExecutions=0 if step == "invalid_param_0" else 1,
        )


def events(play: Player) -> None:
    def put(step: str, **members: Any) -> None:
        play(step, "put_function_event_invoke_config", FunctionName=FN, **members)

    def update(step: str, **members: Any) -> None:
        play(step, "update_function_event_invoke_config", FunctionName=FN, **members)

    def get(step: str, **qualifier: str) -> None:
        play(step, "get_function_event_invoke_config", FunctionName=FN, **qualifier)

    def list_all(step: str) -> None:
        play(step, "list_function_event_invoke_configs", FunctionName=FN)

    play.created()
    put("put_invokeconfig_retries_0", MaximumRetryAttempts=0)
    put("put_invokeconfig_eventage_60", MaximumEventAgeInSeconds=60)
    update("update_invokeconfig_eventage_nochange", MaximumEventAgeInSeconds=60)
    update("update_invokeconfig_retries", MaximumRetryAttempts=1)
    get("get_invokeconfig")
    get("get_invokeconfig_latest", Qualifier="$LATEST")
    list_all("list_single_invokeconfig")
    play("publish_version_result", "publish_version", FunctionName=FN)
    get("get_invokeconfig_postpublish", Qualifier="1")
    put("put_published_invokeconfig", Qualifier="1", MaximumEventAgeInSeconds=120)
    get("get_published_invokeconfig", Qualifier="1")
    play("", "delete_function_event_invoke_config", FunctionName=FN)
    list_all("list_paging_nolimit_postdelete")


def events_refused(play: Player) -> None:
    name = "eventinvokealias"

    def put(step: str, function: str = FN, **members: Any) -> None:
        if not members.keys() - {"Qualifier"}:  # a request must set something
            members["MaximumRetryAttempts"] = 1
        play(step, "put_function_event_invoke_config", FunctionName=function, **members)

    play.created()
    play.created(FunctionName="fn-2")
    play("fn_version_result", "publish_version", FunctionName=FN)
    play("fn_alias_result", "create_alias", FunctionName=FN, Name=name, FunctionVersion="1")
    absent = ARN.replace(f":{FN}", ":doesnotexist")
    put("put_functionname_name_notfound", "doesnotexist")
    put("put_functionname_arn_notfound", absent)
    play("put_functionname_nootherargs", "put_function_event_invoke_config", FunctionName=absent)
    for step, destination in (
        ("lambda_doesntexist", {"OnSuccess": {"Destination": absent}}),
        ("recursive", {"OnSuccess": {"Destination": ARN}}),
        ("other_lambda", {"OnSuccess": {"Destination": ARN.replace(f":{FN}", ":fn-2")}}),
        ("invalid_service_arn", {"OnSuccess": {"Destination": ARN.replace("lambda", "iam")}}),
        ("success_no_destination_arn", {"OnSuccess": {}}),
        ("failure_no_destination_arn", {"OnFailure": {}}),
    ):
        play(
            f"put_destination_{step}",
            "put_function_event_invoke_config",
            FunctionName=FN,
            DestinationConfig=destination,
        )
    put(
        "put_destination_invalid_arn_pattern",
        DestinationConfig={"OnFailure": {"Destination": ARN.replace("lambda", "_-/!lambda")}},
    )
    put("put_destination_latest")
    put("put_destination_latest_explicit_qualifier", Qualifier="$LATEST")
    put("put_destination_version", Qualifier="1")
    put("put_alias_functionname_qualifier", Qualifier=name)
    put("put_alias_doesnotexist", Qualifier=f"{name}doesnotexist")
    for step, function in (("qualifiedarn", f"{ARN}:{name}"), ("shorthand", f"{FN}:{name}")):
        put(f"put_alias_{step}", function)
        put(f"put_alias_{step}_qualifier", function, Qualifier=name)
        put(f"put_alias_{step}_qualifierconflict", function, Qualifier=f"{name}doesnotexist")
    put("put_version_shorthand", f"{FN}:1")
    put("put_shorthand_qualifier_match", f"{FN}:$LATEST", Qualifier="$LATEST")
    for number, qualified, qualifier in (
        (1, "1", "$LATEST"),
        (2, "$LATEST", "1"),
        (3, "1", name),
    ):
        put(f"put_shorthand_qualifier_mismatch_{number}", f"{FN}:{qualified}", Qualifier=qualifier)
    both = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}
    put("put_maxevent_maxvalue_result", MaximumRetryAttempts=2, MaximumEventAgeInSeconds=21600)
    put("put_pre_overwrite", **both)
    put("put_post_overwrite", MaximumRetryAttempts=0)
    put("second_overwrite_existing_response", MaximumRetryAttempts=0)
    play("get_post_overwrite", "get_function_event_invoke_config", FunctionName=FN)
    put("pre_update_response", **both)
    update = {"FunctionName": FN, "MaximumRetryAttempts": 0}
    play("update_response", "update_function_event_invoke_config", **update)
    play("update_response_existing", "update_function_event_invoke_config", **update)
    play("list_configs", "list_function_event_invoke_configs", FunctionName=FN)
    _events_absent(play, name)


def _events_absent(play: Player, name: str) -> None:
    """Delete the settings of $LATEST, a version, and an alias, then use absent ones."""
    delete = "delete_function_event_invoke_config"
    for step, qualifier in (
        ("delete_latest", "$LATEST"),
        ("delete_version", "1"),
        ("delete_alias", name),
    ):
        play(step, delete, FunctionName=FN, Qualifier=qualifier)
    play("list_configs_postdelete", "list_function_event_invoke_configs", FunctionName=FN)
    play("delete_function_not_found", delete, FunctionName=FN)
    play("delete_function_doesnotexist", delete, FunctionName="doesnotexist")
    play(
        "list_function_doesnotexist",
        "list_function_event_invoke_configs",
        FunctionName="doesnotexist",
    )
    for step, given in (
        ("get_function_doesnotexist", {"FunctionName": "doesnotexist"}),
        ("get_qualifier_doesnotexist", {"FunctionName": FN, "Qualifier": "doesnotexist"}),
        ("get_eventinvokeconfig_doesnotexist", {"FunctionName": f"{ARN}:{name}"}),
    ):
        play(step, "get_function_event_invoke_config", **given)
    for step, function in (
        ("function_doesnotexist", "doesnotexist"),
        ("config_doesnotexist_with_qualifier", f"{ARN}:{name}"),
        ("config_doesnotexist_without_qualifier", ARN),
    ):
        play(
            f"update_eventinvokeconfig_{step}",
            "update_function_event_invoke_config",
            FunctionName=function,
            MaximumRetryAttempts=0,
        )


SCENARIOS: dict[str, Callable[[Player], None]] = {
    "TestLambdaReservedConcurrency::test_function_concurrency": reserved,
    "TestLambdaReservedConcurrency::test_function_concurrency_exceptions": reserved_refused,
    "TestLambdaReservedConcurrency::test_function_concurrency_limits": reserved_limits,
    "TestLambdaConcurrency::test_lambda_concurrency_crud": partial(reserved_and_back, count=0),
    "TestLambdaConcurrency::test_lambda_concurrency_update": partial(reserved_and_back, count=3),
    "TestLambdaProvisionedConcurrency::test_provisioned_concurrency_exceptions": (
        provisioned_absent
    ),
    "TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_lifecycle": events,
    "TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_exceptions": events_refused,
}
