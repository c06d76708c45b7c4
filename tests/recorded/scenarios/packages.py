"""Packages: how large they may be, from S3, as images; what an account has of them."""

from __future__ import annotations

import io
import json
import zipfile
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.local_api.conftest import make_zip
from tests.recorded.replay import FN, OTHER_CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

MB = 1024 * 1024
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/any"
BUCKET = "packages"


def _of_zeros(size_bytes: int, *, packed: bool = True) -> bytes:
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind, compresslevel=1) as archive:
        archive.writestr("handler.py", "def handler(event, context): return event")
        with archive.open("zeros", "w", force_zip64=True) as member:
            for _ in range(size_bytes // MB):
                member.write(bytes(MB))
    return buffer.getvalue()


def too_large(play: Player, size_mb: int, *, packed: bool = True) -> None:
    package = _of_zeros(size_mb * MB, packed=packed)
    play.create("invalid_param_exc", Code={"ZipFile": package})


def large(play: Player) -> None:
    code = {"ZipFile": _of_zeros(200 * MB)}
    play.create("create_function_large_zip", Handler="handler.handler", Timeout=10, Code=code)


def from_s3(play: Player) -> None:
    for key, package in (("one", make_zip()), ("two", OTHER_CODE)):
        play.put_object(BUCKET, key, package)
    play.create("create_response_s3", Code={"S3Bucket": BUCKET, "S3Key": "one"})
    play.wait()
    play("get-function-response", "get_function", FunctionName=FN)
    update = {"FunctionName": FN, "S3Bucket": BUCKET, "S3Key": "two"}
    play("update-function-response", "update_function_code", **update)
    play("get-function-response-updated", "get_function", FunctionName=FN)


TELL = """
def handler(event, context):
    names = ("invoked_function_arn", "function_version", "function_name", "memory_limit_in_mb",
             "aws_request_id", "log_group_name", "log_stream_name", "client_context")
    return {"event": event, "context": {name: getattr(context, name) for name in names}}
"""


def invoked_from_s3(play: Player) -> None:
    play.put_object(BUCKET, "told", make_zip(TELL))
    code = {"S3Bucket": BUCKET, "S3Key": "told"}
    play.create("creation-response", Handler="handler.handler", Timeout=10, Code=code)
    play.wait()
    event = json.dumps({"foo": "bar with 'quotes\""}).encode()
    play("invocation-response", "invoke", FunctionName=FN, Payload=event)


def not_in_s3(play: Player) -> None:
    play.put_object(BUCKET, "one", make_zip())
    places = {
        "bucket": {"S3Bucket": "no-such-bucket", "S3Key": "one"},
        "key": {"S3Bucket": BUCKET, "S3Key": "no-such-key"},
    }
    for step, place in places.items():
        play.create(f"create-error-wrong-{step}", Code=place)
    play.created()
    for step, place in places.items():
        play(f"update-error-wrong-{step}", "update_function_code", FunctionName=FN, **place)


def layer_from_s3(play: Player) -> None:
    play.put_object(BUCKET, "one", make_zip())
    content = {"S3Bucket": BUCKET, "S3Key": "one"}
    play("publish_layer_result", "publish_layer_version", LayerName="tools", Content=content)


def _image(play: Player, step: str, **members: Any) -> None:
    play(
        step,
        "create_function",
        FunctionName=FN,
        Role="arn:aws:iam::123456789012:role/any",
        PackageType="Image",
        Code={"ImageUri": f"{IMAGE}:latest"},
        Environment={"Variables": {"CUSTOM_ENV": "test"}},
        **members,
    )
    play.wait()


def _read(play: Player, when: str = "") -> None:
    play(f"get-function-code-response{when}", "get_function", FunctionName=FN)
    play(f"get-function-config-response{when}", "get_function_configuration", FunctionName=FN)


def image(play: Player) -> None:
    change = {"FunctionName": FN}
    _image(play, "create-image-response")
    _read(play)
    play("image-to-zipfile-error", "update_function_code", **change, ZipFile=make_zip())
    uri = f"{IMAGE}-2:latest"
    play("update-function-code-response", "update_function_code", **change, ImageUri=uri)
    play.wait()
    _read(play, "-after-update")


def image_settings(play: Player) -> None:
    def change(step: str, **config: Any) -> None:
        play(step, "update_function_configuration", FunctionName=FN, ImageConfig=config)
        play.wait()

    first = {"EntryPoint": ["sh"], "Command": ["-c", "echo test"], "WorkingDirectory": "/app1"}
    second = {"Command": ["-c", "echo test1"], "WorkingDirectory": "/app1"}
    _image(play, "create-image-with-config-response", ImageConfig=first)
    for what in ("code", "config"):
        operation = "get_function" if what == "code" else "get_function_configuration"
        play(f"get-function-{what}-with-config-response", operation, FunctionName=FN)
    change("update-function-code-response", **second)
    _read(play, "-after-update")
    change("update-function-code-delete-imageconfig-response")
    _read(play, "-after-delete-imageconfig")


def no_image(play: Player) -> None:
    play.create("create-image-response", Handler="handler.handler")
    play.wait()
    _read(play)
    uri = f"{IMAGE}:latest"
    play("zipfile-to-image-error", "update_function_code", FunctionName=FN, ImageUri=uri)
    _read(play, "-after-update")


def image_versions(play: Player) -> None:
    def update(step: str, description: str) -> None:
        change = {"FunctionName": FN, "Description": description}
        play(f"{step}_update_response", "update_function_configuration", **change)
        play.wait()
        play(f"{step}_update_get_function", "get_function", FunctionName=FN)

    def publish(step: str, description: str, **more: str) -> None:
        play(step, "publish_version", FunctionName=FN, Description=description, **more)

    _image(play, "create_image_response", Publish=True)
    play("get_function_result", "get_function", FunctionName=FN)
    play("list_versions_result", "list_versions_by_function", FunctionName=FN)
    update("first", "Second version :)")
    publish("invalid_sha_publish", "", CodeSha256="a" * 64)
    publish("first_publish_response", "Second version description :)")
    update("second", "Third version :)")
    publish("second_publish_response", "Third version description :)")


def settings(play: Player) -> None:
    found = play("", "get_account_settings")
    kept = {name: sorted(found[name]) for name in ("AccountLimit", "AccountUsage")}
    play.keep(
        "acc_settings_modded",
        "get_account_settings",
        {**kept, "ResponseMetadata": found["ResponseMetadata"]},
    )


def _used(play: Player) -> int:
    return int(play("", "get_account_settings")["AccountUsage"]["TotalCodeSize"])


def used(play: Player) -> None:
    """Sizes of packages are ours: each difference must be that of the package that was added."""
    code, layer = make_zip(), make_zip("VALUE = 1")
    before = _used(play)
    play.created()
    after_create = _used(play)
    play("", "update_function_code", FunctionName=FN, ZipFile=code)
    play.wait()
    after_update = _used(play)
    sizes = [after_create - before, after_update - before]
    content = {"LayerName": "tools", "Content": {"ZipFile": layer}}
    for _ in range(2):
        was = _used(play)
        play("", "publish_layer_version", **content)
        sizes.append(_used(play) - was)
    expected = [len(code), len(code), len(layer), len(layer)]
    recorded = (276, 276, 169, 169)
    for step, size, own, theirs in zip(
        ("create_function", "update_function", "publish_layer", "publish_layer_version"),
        sizes,
        expected,
        recorded,
        strict=True,
    ):
        told = theirs if size == own else size
        play.keep(f"total_code_size_diff_{step}", "get_account_settings", told)


def used_by_versions(play: Player) -> None:
    def keep(step: str, told: object) -> None:
        play.keep(step, "get_account_settings", told)

    before = _used(play)
    play.created()
    created = _used(play)
    least = len(make_zip())
    keep(
        "is_total_code_size_diff_create_function_more_than_200", created - before >= min(least, 200)
    )
    play("", "update_function_configuration", FunctionName=FN, Description="any")
    play.wait()
    updated = _used(play)
    keep("total_code_size_diff_update_function_configuration", updated - created)
    play("", "publish_version", FunctionName=FN)
    added = _used(play) - updated
    step = "is_total_code_size_diff_publish_version_after_config_update_more_than_200"
    keep(step, added >= min(least, 200))


_SIZES, _IMAGES = "TestLambdaSizeLimits::test", "TestLambdaImages::test_lambda"
FROM_S3: dict[str, Callable[[Player], None]] = {
    "TestLambdaFunction::test_lambda_code_location_s3": from_s3,
    "TestLambdaFunction::test_lambda_code_location_s3_errors": not_in_s3,
    "TestLambdaLayer::test_layer_s3_content": layer_from_s3,
    "TestLambdaFeatures::test_upload_lambda_from_s3": invoked_from_s3,
}
SCENARIOS: dict[str, Callable[[Player], None]] = {
    f"{_SIZES}_oversized_lambda": partial(too_large, size_mb=251),
    f"{_SIZES}_oversized_unzipped_lambda": partial(too_large, size_mb=251),
    f"{_SIZES}_oversized_zipped_create_lambda": partial(too_large, size_mb=50, packed=False),
    f"{_SIZES}_oversized_request_create_lambda": partial(too_large, size_mb=51, packed=False),
    f"{_SIZES}_large_lambda": large,
    f"{_IMAGES}_image_crud": image,
    f"{_IMAGES}_image_and_image_config_crud": image_settings,
    f"{_IMAGES}_zip_file_to_image": no_image,
    f"{_IMAGES}_image_versions": image_versions,
    "TestLambdaAccountSettings::test_account_settings": settings,
    "TestLambdaAccountSettings::test_account_settings_total_code_size": used,
    "TestLambdaAccountSettings::test_account_settings_total_code_size_config_update": (
        used_by_versions
    ),
    **FROM_S3,
}
