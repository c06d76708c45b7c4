"""Function URLs: kept as settings; nothing is served at them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.recorded.replay import ARN, FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

ALIAS = "urlalias"
OPEN = {"AuthType": "NONE"}
GET, CREATE = "get_function_url_config", "create_function_url_config"
UPDATE, DELETE = "update_function_url_config", "delete_function_url_config"


_NEVER_ANSWERED = {
    (CREATE, "config_doesnotexist"),
    (DELETE, "qualifier_alias_doesnotmatch_arn"),
}


def _with_alias(play: Player, name: str = ALIAS) -> None:
    play.created(Handler="lambda_handler.handler", Runtime="nodejs20.x")
    play("fn_version_result", "publish_version", FunctionName=FN)
    play("create_alias_result", "create_alias", FunctionName=FN, Name=name, FunctionVersion="1")


def lifecycle(play: Player) -> None:
    play.created()
    play("url_creation", CREATE, FunctionName=FN, **OPEN)
    play("failed_duplication", CREATE, FunctionName=FN, **OPEN)
    play("get_url_config", GET, FunctionName=FN)
    play("updated_url_config", UPDATE, FunctionName=FN, AuthType="AWS_IAM")
    play("", DELETE, FunctionName=FN)
    play("failed_getter", GET, FunctionName=FN)


def listed(play: Player) -> None:
    _with_alias(play)
    play("list_function_notfound", "list_function_url_configs", FunctionName="doesnotexist")
    play("list_all_empty", "list_function_url_configs", FunctionName=FN)
    play("url_config_fn", CREATE, FunctionName=FN, **OPEN)
    play("url_config_alias", CREATE, FunctionName=FN, Qualifier=ALIAS, **OPEN)
    play("list_all", "list_function_url_configs", FunctionName=FN)


def refused(play: Player) -> None:
    absent = "doesnotexist"
    _with_alias(play)
    cases: tuple[tuple[str, str, str | None], ...] = (
        ("name_doesnotexist", absent, None),
        ("arn_doesnotexist", ARN.replace(f":{FN}", f":{absent}"), None),
        ("name_doesnotexist_qualifier", absent, "1"),
        ("qualifier_version", FN, "1"),
        ("qualifier_version_doesnotexist", FN, "2"),
        ("qualifier_alias_doesnotexist", FN, absent),
        ("qualifier_alias_doesnotmatch_arn", f"{ARN}:{absent}", ALIAS),
        ("qualifier_latest", FN, "$LATEST"),
        ("config_doesnotexist", FN, None),
    )
    for operation in (CREATE, GET, DELETE, UPDATE):
        for step, name, qualifier in cases:
            if (operation, step) in _NEVER_ANSWERED:
                continue
            given = {"Qualifier": qualifier} if qualifier else {}
            more = OPEN if operation in (CREATE, UPDATE) else {}
            play(f"{operation}_{step}", operation, FunctionName=name, **given, **more)


def deleted_beside(play: Player) -> None:
    name = "test-alias"
    _with_alias(play, name)
    of_alias = {"FunctionName": FN, "Qualifier": name}
    play("url_creation", CREATE, FunctionName=FN, **OPEN)
    play("url_with_alias_creation", CREATE, **of_alias, **OPEN)
    play("get_url_config", GET, FunctionName=FN)
    play("get_url_config_with_alias", GET, **of_alias)
    play("delete_function_url_config", DELETE, FunctionName=FN)
    play("get_url_config_after_deletion", GET, FunctionName=FN)
    play("get_url_config_with_alias_after_deletion", GET, **of_alias)


def _create(play: Player, **members: Any) -> str:
    reply = play("create_lambda_url_config", CREATE, FunctionName=FN, **OPEN, **members)
    return str(reply.get("FunctionUrl"))


def _let_all(play: Player) -> None:
    play(
        "add_permission",
        "add_permission",
        FunctionName=FN,
        StatementId="urlPermission",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )


def invoked(play: Player, *steps: str, **members: Any) -> None:
    play.created()
    play("get_fn_result", "get_function", FunctionName=FN)
    url = _create(play, **members)
    _let_all(play)
    for step in steps:
        play.visit(step, url)


def updated(play: Player) -> None:
    play.created()
    _create(play, InvokeMode="BUFFERED")
    play("get_url_config", GET, FunctionName=FN)
    for number, (step, members) in enumerate(
        (
            ("modify_lambda_url_config", {"InvokeMode": "RESPONSE_STREAM"}),
            ("modify_lambda_url_config_none", OPEN),
        ),
        start=2,
    ):
        play(step, UPDATE, FunctionName=FN, **members)
        play(f"get_url_config_{number}", GET, FunctionName=FN)


def kept_without_alias(play: Player) -> None:
    play.created()
    play("", "publish_version", FunctionName=FN)
    alias = {"FunctionName": FN, "Name": "urlalias"}
    play("", "create_alias", **alias, FunctionVersion="1")
    url = _create(play, InvokeMode="BUFFERED", Qualifier="urlalias")
    play.visit("invoke_aliased_url_response", url)
    play("delete_alias_resp", "delete_alias", **alias)
    play.visit("invoke_deleted_alias_url_response_delayed", url)


def wrong_mode(play: Player) -> None:
    play.created()
    step = "invoke_function_invalid_invoke_type"
    play(step, CREATE, FunctionName=FN, **OPEN, InvokeMode="UNKNOWN")


_IN, _CALLED = "TestLambdaUrl::test_url_config", "TestLambdaURL::test_lambda_url"
_KINDS = ("dict", "http-response", "http-response-json", "list-mixed", "string", "integer", "float",
          "boolean")  # fmt: skip
SCENARIOS: dict[str, Callable[[Player], None]] = {
    f"{_IN}_lifecycle": lifecycle,
    f"{_IN}_list_paging": listed,
    f"{_IN}_exceptions": refused,
    f"{_IN}_deletion_without_qualifier": deleted_beside,
    f"{_CALLED}_invalid_invoke_mode": wrong_mode,
    f"{_CALLED}_invocation_exception": invoked,
    **{
        f"{_CALLED}_invocation[{kind}]": lambda play: invoked(play, "lambda_url_invocation")
        for kind in _KINDS
    },
    **{
        f"{_CALLED}_echo_invoke[{mode}]": partial(invoked, **({"InvokeMode": mode} if mode else {}))
        for mode in ("BUFFERED", "RESPONSE_STREAM", None)
    },
    **{
        f"{_CALLED}_{name}": lambda play: invoked(play, "url_response")
        for name in (
            "echo_http_fixture_default",
            "echo_http_fixture_trim_x_headers",
            "form_payload",
        )
    },
    "TestLambdaURL::test_lambda_update_function_url_config": updated,
    f"{_CALLED}_persists_after_alias_delete": kept_without_alias,
    "TestLambdaURL::test_function_url_with_response_streaming": lambda play: invoked(
        play, "response_status", "response_data", InvokeMode="RESPONSE_STREAM"
    ),
    "TestLambdaPermissions::test_lambda_permission_url_invocation": lambda play: invoked(
        play, "lambda_url_invocation_missing_permission"
    ),
    "TestRequestIdHandling::test_request_id_invoke_url": lambda play: invoked(
        play, "lambda_url_invocation", "end_log_entries"
    ),
}
