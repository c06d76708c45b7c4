"""Function names and qualifiers: whole, in part, too long, of others, and wrong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.local_api.conftest import make_zip
from tests.recorded.replay import ACCOUNT, ARN, FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

MINE = ARN.removesuffix(FN) + "my-function"
_ODD_REGION = MINE.replace("us-east-1", "invalid-region")
_CASES: dict[str, tuple[str, str]] = {
    "invalid_characters_in_function_name": ("my-function!", ""),
    "function_name_is_single_invalid": ("*", ""),
    "invalid_characters_in_qualifier": ("my-function", "invalid!"),
    "qualifier_too_long": ("my-function", "a" * 129),
    "qualifier_too_long0": ("my-function", "a" * 129),
    "qualifier_too_long1": ("my-function", "a" * 65),
    "function_name_and_qualifier_too_long": ("my-function", "a" * 65),
    "invalid_account_id_in_partial_arn": ("invalid-account:function:my-function", ""),
    "invalid_region_in_arn": (_ODD_REGION, ""),
    "non_lambda_arn": (f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance:i-1234567890abcdef0", ""),
    "function_name_too_long": ("a" * 65, ""),
    "function_name_too_long_and_invalid_region": (_ODD_REGION + "a" * 170, ""),
    "full_arn_and_qualifier_too_long_and_invalid_region": (
        f"{_ODD_REGION}-{'a' * 170}",
        "a" * 129,
    ),
    "full_arn_with_multiple_qualifiers": (f"{MINE}:1:2", ""),
    "incomplete_arn": (MINE.removesuffix(":my-function"), ""),
    "partial_arn_with_extra_qualifier": ("function:my-function:$LATEST:extra", ""),
    "latest_version_with_additional_qualifier": (f"{MINE}:$LATEST", "1"),
    "lowercase_latest_qualifier": (MINE, "$latest"),
    "missing_region_in_arn": (MINE.replace("us-east-1", ""), ""),
    "missing_account_id_in_arn": (MINE.replace(ACCOUNT, ""), ""),
    "misspelled_latest_in_arn": (f"{MINE}:$LATES", ""),
}
_OPERATIONS = ("get_function", "delete_function", "invoke", "create_function")
_NEVER_RECORDED = {
    ("incomplete_arn", "create_function"),
    ("qualifier_too_long1", "create_function"),
    ("function_name_and_qualifier_too_long", "create_function"),
}


def wrong(play: Player, name: str, qualifier: str, operation: str) -> None:
    step = f"{operation}_exception"
    if operation == "create_function":
        play.create(step, FunctionName=f"{name}:{qualifier}" if qualifier else name)
    else:
        given = {"Qualifier": qualifier} if qualifier else {}
        play(step, operation, FunctionName=name, **given)


def arns(play: Player) -> None:
    play.created("create-function-arn-response", FunctionName=ARN)
    play.created(
        "create-function-partial-arn-response",
        FunctionName=f"{ACCOUNT}:function:fn-2",
        Code={"ZipFile": make_zip(other="")},
    )
    for step, name in (
        ("invalid_function_name_exc", "invalid:function:name"),
        ("long_function_name_exc", "a" * 65),
        ("long_function_arn_exc", ARN.removesuffix(FN) + "a" * 94),
        ("function_arn_other_region_exc", ARN.replace("us-east-1", "ap-southeast-1")),
        ("function_arn_other_account_exc", ARN.replace(ACCOUNT, "210987654321")),
    ):
        play.create(step, FunctionName=name)


def wrong_in_invoke(play: Player) -> None:
    play(
        "invoke_function_name_pattern_exc",
        "invoke",
        FunctionName="arn:aws:lambda:us-east-1:123400000000@function:myfn",
        Payload=b"{}",
    )


def mismatch(play: Player, operation: str) -> None:
    for step, qualified in (("not_match_exception", "1"), ("match_exception", "$LATEST")):
        arn = f"{ARN.removesuffix(FN)}some-function:{qualified}"
        play(step, operation, FunctionName=arn, Qualifier="$LATEST")


def absent_version(play: Player, operation: str) -> None:
    play.created()
    play("version_not_found_exception", operation, FunctionName=FN, Qualifier="1221")


def delete_absent(play: Player) -> None:
    play.created()
    step = "delete_function_response_non_existent"
    for name, qualifier in (
        ("", "1233"),
        ("", "1233"),
        ("", None),
        (step, None),
        (f"{step}_with_qualifier", "1233"),
    ):
        given = {"Qualifier": qualifier} if qualifier else {}
        play(name, "delete_function", FunctionName=FN, **given)


def absent(play: Player, operation: str) -> None:
    play("not_found_exception", operation, FunctionName="i-dont-exist")


def other_region(play: Player, operation: str) -> None:
    play.created()
    arn = ARN.replace("us-east-1", "eu-central-1")
    play("wrong_region_exception", operation, FunctionName=arn)


def _of_each(
    name: str, play: Callable[..., None], *operations: str
) -> dict[str, Callable[..., None]]:
    return {
        f"TestLambdaFunction::test_{name}[{operation}]": partial(play, operation=operation)
        for operation in operations
    }


_READS = ("get_function", "get_function_configuration")
_MORE_READS = (
    *_READS,
    "get_function_url_config",
    "get_function_code_signing_config",
    "get_function_event_invoke_config",
    "get_function_concurrency",
    "delete_function",
)
SCENARIOS: dict[str, Callable[[Player], None]] = {
    "TestLambdaFunction::test_function_arns": arns,
    "TestLambdaFunction::test_invalid_invoke": wrong_in_invoke,
    "TestLambdaFunction::test_delete_on_nonexisting_version": delete_absent,
    **_of_each("ops_with_arn_qualifier_mismatch", mismatch, "delete_function", *_READS),
    **_of_each(
        "ops_on_nonexisting_version", absent_version, *_READS, "get_function_event_invoke_config"
    ),
    **_of_each("ops_on_nonexisting_fn", absent, *_MORE_READS),
    **_of_each("get_function_wrong_region", other_region, *_MORE_READS, "invoke"),
    **{
        f"TestLambdaFunction::test_function_name_and_qualifier_validation[{case}-{operation}]": (
            partial(wrong, name=name, qualifier=qualifier, operation=operation)
        )
        for case, (name, qualifier) in _CASES.items()
        for operation in _OPERATIONS
        if (case, operation) not in _NEVER_RECORDED
    },
}
