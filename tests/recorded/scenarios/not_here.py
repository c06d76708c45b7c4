"""What is never here: event sources, code signing, provisioned concurrency, destinations."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.recorded.replay import ACCOUNT, FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

UUID = "14e0db71-5d35-4eb5-b481-8945cf9d10c2"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:any"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/any/stream/2026-01-01T00:00:00.000"
STREAM = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/any"
SIGNING = f"arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-00000000000000000"
MAP = "create_event_source_mapping"


def mappings_refused(play: Player) -> None:
    for step in ("get", "delete", "update"):
        play(f"{step}_unknown_uuid", f"{step}_event_source_mapping", UUID=UUID)
    play("create_no_event_source_arn", MAP, FunctionName="doesnotexist")
    play("create_unknown_params", MAP, FunctionName="doesnotexist", EventSourceArn=QUEUE)
    play.created()
    play(
        "destination_config_failure",
        MAP,
        FunctionName=FN,
        EventSourceArn=QUEUE,
        DestinationConfig={"OnSuccess": {"Destination": QUEUE}},
    )


def mapped(play: Player, source: str, steps: tuple[str, ...]) -> None:
    play.created()
    for step in steps:
        starts = {"no": None, "invalid": "invalid", "incompatible": "AT_TIMESTAMP"}
        start = starts.get(step.split("_")[0], "TRIM_HORIZON")
        given = {"StartingPosition": start} if start else {}
        play(step, MAP, FunctionName=FN, EventSourceArn=source, **given)


def self_managed(play: Player) -> None:
    play.created()
    secret = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:any"
    access = {"SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": secret}]}
    for step, given in (
        ("missing-source-access-configuration", {}),
        ("event-source-mapping-default", access),
        ("event-source-mapping-values", access),
    ):
        play(
            step,
            MAP,
            FunctionName=FN,
            Topics=["topic"],
            SelfManagedEventSource={"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000"]}},
            **given,
        )


def signing_lifecycle(play: Player) -> None:
    play.created()
    profile = f"arn:aws:signer:us-east-1:{ACCOUNT}:/signing-profiles/test"
    play(
        "create_code_signing_config",
        "create_code_signing_config",
        Description="any",
        AllowedPublishers={"SigningProfileVersionArns": [profile]},
    )


def signing_refused(play: Player) -> None:
    signing_lifecycle(play)
    play("delete_csc_notfound", "delete_code_signing_config", CodeSigningConfigArn=SIGNING)
    delete, put = "delete_function_code_signing_config", "put_function_code_signing_config"
    play("nothing_to_delete_response", delete, FunctionName=FN)
    absent = {"FunctionName": "csc-test-doesnotexist"}
    play("delete_function_csc_fnnotfound", delete, **absent)
    play("put_function_csc_invalid_csc_arn", put, FunctionName=FN, CodeSigningConfigArn=SIGNING)
    play("put_function_csc_invalid_both", put, **absent, CodeSigningConfigArn=SIGNING)
    for step, policies in (
        ("update_csc_invalid_csc_arn", {}),
        (
            "update_csc_noupdates",
            {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"}},
        ),
    ):
        play(step, "update_code_signing_config", CodeSigningConfigArn=SIGNING, **policies)
    play("get_csc_invalid", "get_code_signing_config", CodeSigningConfigArn=SIGNING)
    get = "get_function_code_signing_config"
    play("get_function_csc_fnwithoutcsc", get, FunctionName=FN)
    play("get_function_csc_nonexistingfn", get, **absent)
    play(
        "list_functions_by_csc_invalid_cscarn",
        "list_functions_by_code_signing_config",
        CodeSigningConfigArn=SIGNING,
    )


def provisioned(play: Player, steps: tuple[str, ...]) -> None:
    play.created()
    play("publish_version_result", "publish_version", FunctionName=FN)
    alias = {"FunctionName": FN, "Name": "alias"}
    play("create_alias_result", "create_alias", **alias, FunctionVersion="1")
    play("fn", "get_function_configuration", FunctionName=FN, Qualifier="$LATEST")
    counts = {"account_limit_exceeded": 1001, "below_unreserved_min_value": 1000}
    for step in steps:
        play(
            step,
            "put_provisioned_concurrency_config",
            FunctionName=FN,
            Qualifier="1",
            ProvisionedConcurrentExecutions=counts.get(step.partition("concurrency_")[2], 1),
        )


def moves_with_alias(play: Player) -> None:
    def read(step: str, name: str = FN) -> None:
        play(step, "get_function", FunctionName=name)

    play.created("create-result", Handler="handler.handler", Runtime="python3.8", Timeout=2)
    config = "get_function_configuration"
    play("get-function-configuration", config, FunctionName=FN, Qualifier="$LATEST")
    play("publish_version_1", "publish_version", FunctionName=FN, Description="my-first-version")
    play("get_function_configuration_version_1", config, FunctionName=FN, Qualifier="1")
    alias = {"FunctionName": FN, "Name": "alias"}
    play("create_alias", "create_alias", **alias, FunctionVersion="1")
    read("get_function_before_provisioned", f"{FN}:1")
    put = {"FunctionName": FN, "Qualifier": "alias", "ProvisionedConcurrentExecutions": 1}
    play("get_provisioned_config_after_alias_move", "put_provisioned_concurrency_config", **put)
    read("get_function_after_provisioned", f"{FN}:alias")
    play("", "update_function_configuration", FunctionName=FN, Timeout=10)
    play.wait()
    play("get_function_after_update", config, FunctionName=FN)
    play("publish_version_2", "publish_version", FunctionName=FN)
    play("update_alias", "update_alias", **alias, FunctionVersion="2")


def destinations(play: Player, step: str = "put_function_event_invoke_config") -> None:
    play.created()
    both = {"OnSuccess": {"Destination": QUEUE}, "OnFailure": {"Destination": QUEUE}}
    put = "put_function_event_invoke_config"
    play(step, put, FunctionName=FN, MaximumRetryAttempts=0, DestinationConfig=both)


def tagged_mapping(play: Player) -> None:
    mapped(play, QUEUE, ("get_event_source_mapping_with_tag", "tag_single_response"))


_SOURCES = "TestLambdaEventSourceMappings::test"
_CONCURRENCY = "TestLambdaConcurrency::test"
_QUEUED = "TestLambdaDestinationSqs::test"
SCENARIOS: dict[str, Callable[[Player], None]] = {
    f"{_SOURCES}_event_source_mapping_exceptions": mappings_refused,
    **{
        f"{_SOURCES}_{name}": partial(mapped, source=source, steps=steps)
        for name, source, steps in (
            ("event_source_mapping_lifecycle", TABLE, ("create_response",)),
            ("event_source_mapping_lifecycle_delete_function", TABLE, ("create_response",)),
            ("function_name_variations", QUEUE, ("name_only_create_esm",)),
            ("create_event_filter_criteria_validation", TABLE, ("response-with-empty-filters",)),
            (
                "create_event_source_validation",
                TABLE,
                (
                    "no_starting_position",
                    "invalid_starting_position",
                    "incompatible_starting_position",
                ),
            ),
            (
                "create_event_source_validation_kinesis",
                STREAM,
                ("no_starting_position", "invalid_starting_position"),
            ),
        )
    },
    f"{_SOURCES}_create_event_source_self_managed": self_managed,
    "TestLambdaTag::test_create_tag_on_esm_create": tagged_mapping,
    "TestLambdaTag::test_tag_lifecycle[event_source_mapping]": tagged_mapping,
    "TestCodeSigningConfig::test_function_code_signing_config": signing_lifecycle,
    "TestCodeSigningConfig::test_code_signing_not_found_excs": signing_refused,
    "TestLambdaProvisionedConcurrency::test_lambda_provisioned_lifecycle": partial(
        provisioned, steps=("put_provisioned_on_version",)
    ),
    "TestLambdaProvisionedConcurrency::test_provisioned_concurrency_limits": partial(
        provisioned,
        steps=(
            "put_provisioned_concurrency_account_limit_exceeded",
            "put_provisioned_concurrency_below_unreserved_min_value",
        ),
    ),
    **{
        f"{_CONCURRENCY}_{name}": partial(provisioned, steps=(step,))
        for name, step in (
            ("provisioned_concurrency", "put_provisioned_5"),
            ("provisioned_concurrency_on_alias", "put_provisioned_5"),
            ("reserved_provisioned_overlap", "put_provisioned_5"),
            ("provisioned_concurrency_init_failure", "put_provisioned"),
            ("lambda_provisioned_concurrency_scheduling", "get_provisioned_postwait"),
        )
    },
    f"{_CONCURRENCY}_lambda_provisioned_concurrency_moves_with_alias": moves_with_alias,
    **{
        f"{_QUEUED}_assess_lambda_destination_invocation[{name}]": destinations
        for name in ("Success-payload0", "payload0", "payload1")
    },
    f"{_QUEUED}_lambda_destination_default_retries": destinations,
    f"{_QUEUED}_retries": partial(destinations, step="queue_destination_payload"),
    f"{_QUEUED}_maxeventage": partial(destinations, step="no_retry_failure_message"),
    "TestLambdaDestinationEventbridge::test_invoke_lambda_eventbridge": partial(
        destinations, step="lambda_destination_event_bus_success"
    ),
}
