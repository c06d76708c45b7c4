"""Publish versions; revisions of functions, versions, and aliases."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.local_api.conftest import make_zip
from tests.recorded.replay import FN, OTHER_CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player


def publish_on_create(play: Player) -> None:
    play.create("create_response", Publish=True)
    play.wait()
    play("get_function_result", "get_function", FunctionName=FN)
    play("get_function_version_result", "get_function", FunctionName=FN, Qualifier="1")
    play("get_function_latest_result", "get_function", FunctionName=FN, Qualifier="$LATEST")
    play("list_versions_result", "list_versions_by_function", FunctionName=FN)
    play(
        "repeated_publish_response",
        "publish_version",
        FunctionName=FN,
        Description="Repeated version description :)",
    )
    play("list_versions_result_after_publish", "list_versions_by_function", FunctionName=FN)


def lifecycle(play: Player) -> None:
    def update(step: str, description: str) -> None:
        play(step, "update_function_configuration", FunctionName=FN, Description=description)
        play.wait()

    def publish(step: str, description: str | None = None) -> None:
        given = {} if description is None else {"Description": description}
        play(step, "publish_version", FunctionName=FN, **given)

    def list_all(step: str) -> None:
        play(step, "list_versions_by_function", FunctionName=FN)

    play.create("create_response", Description="No version :(")
    play.wait()
    play("get_function_result", "get_function", FunctionName=FN)
    list_all("list_versions_result")
    update("first_update_response", "First version :)")
    play("first_update_get_function", "get_function", FunctionName=FN)
    publish("first_publish_response", "First version description :)")
    play("first_publish_get_function", "get_function", FunctionName=FN, Qualifier="1")
    play(
        "first_publish_get_function_config",
        "get_function_configuration",
        FunctionName=FN,
        Qualifier="1",
    )
    update("second_update_response", "Second version :))")
    play("first_publish_get_function_after_update", "get_function", FunctionName=FN, Qualifier="1")
    publish("second_publish_response")
    publish("third_publish_response", "Third version description :)))")
    list_all("list_versions_result_after_third_publish")
    play("", "delete_function", FunctionName=f"{FN}:1")
    list_all("list_versions_result_after_deletion_of_first_version")


def guarded(play: Player, member: str, step: str, wrong: str, **settings: str) -> None:
    """Publish what a member guards: first with a wrong value of it, then with the right one."""
    play.create("create_response", **settings)
    play.wait()
    found = play("get_fn_response", "get_function", FunctionName=FN)["Configuration"]
    for name, value in ((step, wrong), ("publish_result", found[member])):
        play(name, "publish_version", FunctionName=FN, **{member: value})


def publish_with_update(play: Player) -> None:
    play.create("create_response")
    play.wait()
    play("get_function_result", "get_function", FunctionName=FN)
    play(
        "update_function_code_result",
        "update_function_code",
        FunctionName=FN,
        ZipFile=OTHER_CODE,
        Publish=True,
    )
    play("get_function_version_result", "get_function", FunctionName=FN, Qualifier="1")
    play("get_function_latest_result", "get_function", FunctionName=FN, Qualifier="$LATEST")


def revisions(play: Player) -> None:
    play.created("create_function_response_rev1", Handler="index.handler")
    last = play("get_function_response_rev2", "get_function", FunctionName=FN)
    code = {"FunctionName": FN, "ZipFile": make_zip()}
    play("update_function_revision_exception", "update_function_code", **code, RevisionId="wrong")
    play(
        "update_function_code_response_rev3",
        "update_function_code",
        **code,
        RevisionId=last["Configuration"]["RevisionId"],
    )
    play.wait()
    last = play("get_function_response_rev4", "get_function", FunctionName=FN)
    for step, revision in (
        ("update_function_configuration_revision_exception", "wrong"),
        ("update_function_configuration_response_rev5", last["Configuration"]["RevisionId"]),
    ):
        play(
            step,
            "update_function_configuration",
            FunctionName=FN,
            Runtime="python3.8",
            RevisionId=revision,
        )
    play.wait()
    play("get_function_response_rev6", "get_function", FunctionName=FN)


def revisions_of_version_and_alias(play: Player) -> None:
    play.created("create_function_response_rev1")
    active = play("get_function_active_rev2", "get_function", FunctionName=FN)["Configuration"]
    for step, revision in (
        ("publish_version_revision_exception", "wrong"),
        ("publish_version_response_rev_v1", active["RevisionId"]),
    ):
        play(step, "publish_version", FunctionName=FN, RevisionId=revision)
    play.wait()
    play("get_function_published_version_rev_v2", "get_function", FunctionName=FN, Qualifier="1")
    play("get_function_latest_rev3", "get_function", FunctionName=FN)
    alias = {"FunctionName": FN, "Name": "revision_alias"}
    created = play("create_alias_response_rev_a1", "create_alias", **alias, FunctionVersion="1")
    play("get_function_latest_rev4", "get_function", FunctionName=FN)
    play("get_function_published_version_rev_v3", "get_function", FunctionName=FN, Qualifier="1")
    play("update_alias_revision_exception", "update_alias", **alias, RevisionId="wrong")
    play(
        "update_alias_response_rev_a2",
        "update_alias",
        **alias,
        Description="something changed",
        RevisionId=created["RevisionId"],
    )


SCENARIOS: dict[str, Callable[[Player], None]] = {
    "TestLambdaVersions::test_publish_version_on_create": publish_on_create,
    "TestLambdaVersions::test_version_lifecycle": lifecycle,
    "TestLambdaVersions::test_publish_with_wrong_sha256": partial(
        guarded,
        member="CodeSha256",
        step="publish_wrong_sha256_exc",
        wrong="somenonexistentsha256",
    ),
    "TestLambdaVersions::test_publish_with_wrong_revisionid": partial(
        guarded,
        member="RevisionId",
        step="publish_wrong_revisionid_exc",
        wrong="doesntexist",
        Runtime="python3.9",
    ),
    "TestLambdaVersions::test_publish_with_update": publish_with_update,
    "TestLambdaRevisions::test_function_revisions_basic": revisions,
    "TestLambdaRevisions::test_function_revisions_version_and_alias": (
        revisions_of_version_and_alias
    ),
}
