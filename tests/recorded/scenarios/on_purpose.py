"""Replies that the local Lambda gives otherwise than AWS on purpose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.recorded.replay import Difference


@dataclass(frozen=True, slots=True)
class Reason:
    """Why fields differ: those whose "scenario step path" has the pattern."""

    pattern: str
    why: str
    is_older: bool = False
    """AWS itself has answered so since: newer recordings of the same calls do."""

    def covers(self, each: Difference) -> bool:
        """Whether this is the reason of a difference."""
        return re.search(self.pattern, f"{each.scenario} {each.step} {each.path}") is not None


ON_PURPOSE: Final[tuple[Reason, ...]] = (
    Reason(
        "test_(publish_with_wrong_revisionid|lambda_permission_revisions"
        "|lambda_provisioned_concurrency_moves_with_alias|lambda_environment|lambda_with_context"
        "|basic_invoke|invocation_type_event_error)"
        " .*(SnapStart|RuntimeVersionConfig|LoggingConfig)",
        "recorded in 2022 and 2023, before there were these members",
        is_older=True,
    ),
    Reason(
        "test_lambda_permission_(versioning|revisions) .*(RevisionId|Error.Message)",
        "recorded in 2022, when a policy had its function's revision; in 2025 it had its own",
        is_older=True,
    ),
    Reason(
        "moves_with_alias get_function_after_provisioned Configuration.RevisionId",
        "provisioned concurrency, which changes the version's revision, is refused",
    ),
    Reason(
        "test_invalid_vpc_config_.* create-response-non-existent-",
        "there is no network to look into: a VPC's settings are kept as they are given",
    ),
    Reason(
        "test_create_deprecated_function_runtime_with_validation_enabled",
        "a runtime that AWS takes no more runs here where this machine can; others are refused by "
        "name, with those that can",
    ),
    Reason(
        r"test_(create|update)_lambda_exceptions (invalid|uppercase)_runtime_exc Error\.Message",
        "the runtimes that can run here are named, not those of AWS",
    ),
    Reason(
        "test_large_environment.*Error.Message",
        "AWS repeats all values in the message; here none is ever in one",
    ),
    Reason(
        "function_arn_other_account_exc Error.Message",
        "AWS gives no message; here it says which account the endpoint's functions belong to",
    ),
    Reason(
        "test_layer_exceptions (list_layers_exc_compatibleruntime_invalid"
        "|publish_layer_version_exc_)",
        "any runtime may be asked for: some are newer than botocore's model",
    ),
    Reason(
        "test_layer_exceptions .*arn_exc_invalidarn Error.Message"
        "|test_layer_function_exceptions add_layer_arn_without_version_exc Error.Message",
        "the pattern in the message is that of botocore's model, which is newer",
    ),
    Reason(
        "timed_out_environment_reuse invoke-result-timed-out Payload.error",
        "recorded in 2024; AWS has named the error Sandbox.Timedout since",
        is_older=True,
    ),
    Reason(
        "test_lambda_runtime_error invocation_error Payload.stackTrace",
        "frames of the interpreter, which is this machine's",
    ),
    Reason(
        r"environment\.(AWS_ENDPOINT_URL|AWS_EC2_METADATA_DISABLED)",
        "the endpoint's own: clients find it, and ask no metadata service for credentials",
    ),
    Reason(
        r"environment\.(AWS_LAMBDA_RUNTIME_API|_?AWS_XRAY_DAEMON_ADDRESS)",
        "addresses inside AWS's sandbox: here they are on loopback",
    ),
    Reason(
        r"environment\.NODE_EXTRA_CA_CERTS",
        "AWS's bundle of certificates for Node.js 16 and 18 isn't here, and Node.js would warn",
    ),
    Reason(
        r"introspection_x86 .*_lambda-entrypoint\.sh",
        "AWS's start script: nothing can be put into this machine's root folder",
    ),
    Reason(
        r"test_runtime_ulimits .*RLIMIT_(CORE|NPROC)",
        "no core dumps, which would fill this machine's disk; processes are counted by user, and "
        "here all handlers have one",
    ),
    Reason(
        "test_lambda_runtime_exit_segfault .*Payload.error",
        "AWS let an init that crashed run into its timeout; here its signal is told at once",
    ),
    Reason(
        r"uncaught_exception_invoke\[python3\.8\] error_result Payload\.requestId",
        "AWS's client for the retired Python 3.8 was older, and had no request id in errors",
    ),
    Reason(
        "test_layer_function_exceptions add_nonexistent_layer.* Error.Message",
        "the message adds that a layer of an account is not here, and what to do",
    ),
    Reason(
        "test_tag_exceptions.* (invalid_arn|aliased_arn|tag_lambda_invalidarn).* Error.Message",
        "the pattern in the message is that of botocore's model, which is newer",
    ),
)
