"""Tags of functions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.recorded.replay import ARN, FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player


def on_create(play: Player) -> None:
    play.created(Tags={"testtag": "tag-1"})
    play("get_function_result", "get_function", FunctionName=FN)
    play("list_tags_result", "list_tags", Resource=ARN)


def lifecycle(play: Player) -> None:
    play.created()
    for step, tags in (
        ("tag_single_response", {"A": "tag-a"}),
        ("tag_multiple_response", {"B": "tag-b", "C": "tag-c"}),
        ("tag_overlap_response", {"C": "tag-c-newsuffix", "D": "tag-d"}),
    ):
        play(step, "tag_resource", Resource=ARN, Tags=tags)
        play(f"{step}_listtags", "list_tags", Resource=ARN)
    for step, keys in (
        ("untag_single_response", "A"),
        ("untag_multiple_response", "BC"),
        ("untag_nonexisting_response", "F"),
        ("untag_existing_and_nonexisting_response", "DF"),
    ):
        play(step, "untag_resource", Resource=ARN, TagKeys=[*keys])
        play(f"{step}_listtags", "list_tags", Resource=ARN)


def long_lifecycle(play: Player) -> None:
    def read(step: str) -> None:
        play(f"list_tags_response_{step}", "list_tags", Resource=ARN)
        play(f"get_fn_response_{step}", "get_function", FunctionName=ARN)

    play.created(Tags={"key_a": "value_a"})
    read("postfncreate")
    tags = {f"key_{each}": f"value_{each}" for each in "bcde"}
    play("tag_resource_response", "tag_resource", Resource=ARN, Tags=tags)
    read("postaddtags")
    tags = {"key_b": "value_b", "key_c": "value_x"}
    play("tag_resource_overwrite", "tag_resource", Resource=ARN, Tags=tags)
    read("overwrite")
    for step, keys in (("postuntag", "cd"), ("postuntagall", "abe")):
        play("", "untag_resource", Resource=ARN, TagKeys=[f"key_{key}" for key in keys])
        read(step)
    play("", "delete_function", FunctionName=FN)
    play("list_tags_postdelete", "list_tags", Resource=ARN)


def refused(play: Player) -> None:
    play.created()
    tags = {"key_a": "value_a"}
    for step, arn in (
        ("tag_lambda_invalidarn", "arn:aws:something"),
        ("tag_lambda_doesnotexist", ARN.replace(f":{FN}", ":doesnotexist")),
        ("tag_lambda_qualifier_doesnotexist", f"{ARN}:v1"),
    ):
        play(step, "tag_resource", Resource=arn, Tags=tags)
    play("list_tag_lambda_empty", "list_tags", Resource=ARN)
    play("untag_nomatch", "untag_resource", Resource=ARN, TagKeys=["somekey"])
    play("untag_empty_keys", "untag_resource", Resource=ARN, TagKeys=[])
    play("tag_empty_tags", "tag_resource", Resource=ARN, Tags={})


def limits(play: Player) -> None:
    def tags(count: int) -> dict[str, str]:
        return {f"{number}_key": f"{number}_value" for number in range(count)}

    play.created()
    play("tag_lambda_too_many_tags", "tag_resource", Resource=ARN, Tags=tags(51))
    play("tag_response", "tag_resource", Resource=ARN, Tags=tags(50))
    play("list_tags_response", "list_tags", Resource=ARN)
    play("get_fn_response", "get_function", FunctionName=FN)
    play(
        "tag_lambda_too_many_tags_additional",
        "tag_resource",
        Resource=ARN,
        Tags={"a_key": "a_value"},
    )
    play.create("create_function_invalid_tags", FunctionName="fn-2", Tags=tags(51))


def of_versions(play: Player) -> None:
    play.created(Tags={"key_a": "value_a"})
    play("", "publish_version", FunctionName=FN)
    for step, qualifier in (
        ("tag_resource_exception", "1"),
        ("tag_resource_latest_exception", "$LATEST"),
    ):
        play(step, "tag_resource", Resource=f"{ARN}:{qualifier}", Tags={"key_b": "value_b"})


def absent(play: Player) -> None:
    play.created()
    play("pre_delete_get_function", "get_function", FunctionName=ARN)
    play("", "delete_function", FunctionName=ARN)
    _touch(play, ARN)


def _touch(play: Player, arn: str) -> None:
    play("not_found_exception_tag", "tag_resource", Resource=arn, Tags={"A": "B"})
    play("not_found_exception_untag", "untag_resource", Resource=arn, TagKeys=["A"])
    play("not_found_exception_list", "list_tags", Resource=arn)


def wrong_arn(play: Player, kind: str = "function") -> None:
    name = "0d4d5a1c-92c6-4a6b-a5f1-3e4a3a6c0000"
    _touch(play, ARN.replace(f"function:{FN}", f"{kind}:{name}"))
    play(
        "aliased_arn_exception",
        "list_tags",
        Resource=ARN.replace(f"function:{FN}", f"{kind}:{name}:alias"),
    )
    play(
        "invalid_arn_exception",
        "list_tags",
        Resource=ARN.replace(f"function:{FN}", f"foobar:{name}"),
    )


SCENARIOS: dict[str, Callable[[Player], None]] = {
    "TestLambdaTag::test_create_tag_on_fn_create": on_create,
    "TestLambdaTag::test_tag_lifecycle": lifecycle,
    "TestLambdaTag::test_tag_lifecycle[lambda_function]": lifecycle,
    "TestLambdaTag::test_tag_nonexisting_resource": absent,
    "TestLambdaTag::test_tag_exceptions[lambda_function]": wrong_arn,
    **{
        f"TestLambdaTag::test_tag_exceptions[{kind}]": partial(
            wrong_arn, kind=kind.replace("_", "-")
        )
        for kind in ("event_source_mapping", "capacity_provider")
    },
    "TestLambdaTags::test_tag_exceptions": refused,
    "TestLambdaTags::test_tag_limits": limits,
    "TestLambdaTags::test_tag_lifecycle": long_lifecycle,
    "TestLambdaTags::test_tag_versions": of_versions,
}
