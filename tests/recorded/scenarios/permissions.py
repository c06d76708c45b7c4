"""Resource policies of functions, versions, and aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.recorded.replay import ACCOUNT, FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

BUCKET = {"SourceArn": "arn:aws:s3:::test-bucket"}


def _add(play: Player, step: str = "", **members: Any) -> None:
    plain = {
        "FunctionName": FN,
        "Action": "lambda:InvokeFunction",
        "StatementId": "s3",
        "Principal": "s3.amazonaws.com",
    }
    play(step, "add_permission", **{**plain, **members})


def refused(play: Player) -> None:
    play.created()
    _add(play, "add_permission_invalid_statement_id", StatementId="example.com")
    _add(
        play,
        "add_permission_fn_qualifier_mismatch",
        FunctionName=f"{FN}:alias-not-42",
        Qualifier="42",
        **BUCKET,
    )
    _add(
        play,
        "add_permission_fn_qualifier_latest",
        FunctionName=f"{FN}:$LATEST",
        Qualifier="$LATEST",
        **BUCKET,
    )
    _add(
        play,
        "add_permission_principal_invalid",
        StatementId="lambda",
        Principal="invalid.nonaws.com",
        SourceAccount=ACCOUNT,
    )
    play("get_policy_fn_doesnotexist", "get_policy", FunctionName="doesnotexist")
    play("get_policy_fn_version_doesnotexist", "get_policy", FunctionName=FN, Qualifier="77")
    _add(play, "add_permission_fn_doesnotexist", FunctionName="doesnotexist", **BUCKET)
    remove = {"FunctionName": FN, "StatementId": "s3"}
    play("remove_permission_policy_doesnotexist", "remove_permission", **remove)
    _add(
        play,
        "add_permission_fn_alias_doesnotexist",
        FunctionName=f"{FN}:alias-doesnotexist",
        **BUCKET,
    )
    for step, qualifier in (
        ("add_permission_fn_version_doesnotexist", "42"),
        ("add_permission_fn_qualifier_invalid", "invalid-qualifier-with-?-char"),
        ("add_permission_fn_qualifier_valid_doesnotexist", "valid-with-$-but-doesnotexist"),
    ):
        _add(play, step, Qualifier=qualifier, **BUCKET)
    _add(play, **BUCKET)
    _add(play, "add_permission_conflicting_statement_id", **BUCKET)
    play(
        "remove_permission_fn_doesnotexist",
        "remove_permission",
        FunctionName="doesnotexist",
        StatementId="s3",
    )
    play(
        "remove_permission_fn_alias_doesnotexist",
        "remove_permission",
        **remove,
        Qualifier="alias-doesnotexist",
    )


def add(play: Player) -> None:
    play.created("create_lambda")
    _add(play, "add_permission", **BUCKET)
    play("get_policy", "get_policy", FunctionName=FN)


def by_version(play: Player) -> None:
    def policy(step: str, **qualifier: str) -> dict[str, Any]:
        return play(step, "get_policy", FunctionName=FN, **qualifier)

    play.created()
    _add(play, "add_permission", **BUCKET)
    policy("get_policy")
    play("publish_version_result", "publish_version", FunctionName=FN)
    play.wait()
    play("get_function_result_after_publishing", "get_function", FunctionName=FN)
    policy("get_policy_after_publishing_latest")
    policy("get_policy_after_publishing_new_version", Qualifier="1")
    _add(play, FunctionName=f"{FN}:1", Qualifier="1", **BUCKET)
    policy("get_policy_version", Qualifier="1")
    name = "permission-alias"
    alias = play(
        "create_alias_response", "create_alias", FunctionName=FN, Name=name, FunctionVersion="1"
    )
    play("get_alias", "get_alias", FunctionName=FN, Name=name)
    _add(
        play,
        "add_permission_alias_revision_exception",
        Qualifier=name,
        RevisionId="wrong",
        **BUCKET,
    )
    _add(
        play,
        FunctionName=f"{FN}:{name}",
        Qualifier=name,
        RevisionId=alias["RevisionId"],
        **BUCKET,
    )
    policy("get_policy_alias", Qualifier=name)
    found = policy("get_policy_after_adding_to_new_version")
    _add(play, StatementId="s3_2", RevisionId=found["RevisionId"], **BUCKET)
    policy("get_policy_after_adding_2")


def members(play: Player) -> None:
    play.created()
    of_account = {"SourceAccount": ACCOUNT}
    _add(
        play,
        "add_permission_principal_wildcard",
        StatementId="wilcard",
        Principal="*",
        **of_account,
    )
    _add(
        play,
        "add_permission_principal_service",
        StatementId="lambda",
        Principal="lambda.amazonaws.com",
        **of_account,
    )
    _add(
        play,
        "add_permission_principal_account",
        StatementId="account-id",
        Principal=ACCOUNT,
    )
    _add(
        play,
        "add_permission_principal_arn",
        StatementId="user-arn",
        Principal=f"arn:aws:iam::{ACCOUNT}:user/any",
        **of_account,
    )
    _add(
        play,
        "add_permission_optional_fields",
        StatementId="urlPermission",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        PrincipalOrgID="o-1234567890",
        FunctionUrlAuthType="NONE",
        **of_account,
        **BUCKET,
    )
    _add(
        play,
        "add_permission_alexa_skill",
        StatementId="alexaSkill",
        Principal="*",
        EventSourceToken="amzn1.ask.skill.xxxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
    )


def remove(play: Player) -> None:
    play.created()
    _add(play, "add_permission_1")
    _add(play, "add_permission_2", StatementId="sqs", Principal="sqs.amazonaws.com", **BUCKET)
    play("policy_after_2_add", "get_policy", FunctionName=FN)
    for step, statement in (
        ("remove_permission_exception_nonexisting_sid", "non-existent"),
        ("", "sqs"),
    ):
        play(step, "remove_permission", FunctionName=FN, StatementId=statement)
    play("policy_after_removal", "get_policy", FunctionName=FN)
    left = play("policy_after_removal_attempt", "get_policy", FunctionName=FN)
    play(
        "",
        "remove_permission",
        FunctionName=FN,
        StatementId="s3",
        RevisionId=left["RevisionId"],
    )
    play("get_policy_exception_removed_all", "get_policy", FunctionName=FN)


def several(play: Player) -> None:
    play.created()
    for number, service in ((1, "logs"), (2, "kinesis")):
        _add(
            play,
            f"add_permission_response_{number}",
            StatementId=service,
            Principal=f"{service}.amazonaws.com",
        )
    play("policy_after_2_add", "get_policy", FunctionName=FN)


def before_2023(play: Player) -> None:
    def policy(step: str, **qualifier: str) -> None:
        play(step, "get_policy", FunctionName=FN, **qualifier)

    play.created()
    _add(play, "add_permission", **BUCKET)
    policy("get_policy")
    play("", "publish_version", FunctionName=FN)
    policy("get_policy_after_publishing_latest")
    policy("get_policy_after_publishing_new_version", Qualifier="1")
    _add(play, Qualifier="1", **BUCKET)
    policy("get_policy_after_adding_to_new_version")
    _add(play, StatementId="s3_2", **BUCKET)
    policy("get_policy_after_adding_2")


def revisions_before_2023(play: Player) -> None:
    def read(step: str) -> None:
        play(f"get_function_{step}", "get_function", FunctionName=FN)
        play(f"get_function_{step}_v1", "get_function", FunctionName=FN, Qualifier="1")

    play.created(Runtime="python3.8")
    _add(play, "add_permission_revision_id_doesnotmatch", RevisionId="wrong", **BUCKET)
    _add(play, **BUCKET)
    remove = {"FunctionName": FN, "StatementId": "s3", "RevisionId": "wrong"}
    play("remove_permission_fn_revision_id_doesnotmatch", "remove_permission", **remove)
    _add(play, StatementId="s3_2", **BUCKET)
    play("", "publish_version", FunctionName=FN)
    _add(play, StatementId="s3_2", Qualifier="1", **BUCKET)
    play("get_policy_after_publish_version", "get_policy", FunctionName=FN)
    play("get_policy_v1_after_publish_version", "get_policy", FunctionName=FN, Qualifier="1")
    play("", "update_function_configuration", FunctionName=FN, Runtime="python3.9")
    play.wait()
    read("fn8")
    _add(play, StatementId="s3_3", Qualifier="1", **BUCKET)
    read("fn9")
    play("get_policy_v1_after_add_permission9", "get_policy", FunctionName=FN, Qualifier="1")


def revision(play: Player) -> None:
    play.created()
    _add(play, "add_permission_revision_exception", RevisionId="wrong", **BUCKET)


_IN = "TestLambdaPermissions::test"
SCENARIOS: dict[str, Callable[[Player], None]] = {
    f"{_IN}_permission_exceptions": refused,
    f"{_IN}_add_lambda_permission_aws": add,
    f"{_IN}_lambda_permission_fn_versioning": by_version,
    f"{_IN}_add_lambda_permission_fields": members,
    f"{_IN}_remove_multi_permissions": remove,
    f"{_IN}_create_multiple_lambda_permissions": several,
    f"{_IN}_lambda_permission_versioning": before_2023,
    f"{_IN}_lambda_permission_revisions": revisions_before_2023,
    "TestLambdaRevisions::test_function_revisions_permissions": revision,
}
