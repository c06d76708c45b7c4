"""The environment variables of a function, as Lambda sets them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.local.deployment import Deployment
    from tuner.local.execution.runtime.interpreter import Interpreter

PLACEHOLDER_KEY = "local"
"""Local credentials: they sign, and open nothing."""


def function_variables(
    deployment: Deployment,
    interpreter: Interpreter,
    *,
    api_address: str,
    log_stream: str,
    home_dir: str,
    tmp_dir: str | None,
) -> dict[str, str]:
    """All variables of one execution environment; nothing comes from the caller's own.

    Credentials are placeholders and no file or metadata service is asked for others, so that a
    handler cannot act with the operator's. `tmp_dir` is set where /tmp cannot be made private.
    """
    variables = {
        "PATH": f"{Path(interpreter.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": home_dir,
        "_HANDLER": deployment.handler,
        "LAMBDA_TASK_ROOT": str(deployment.code_dir),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_REGION": deployment.region,
        "AWS_DEFAULT_REGION": deployment.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{deployment.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": deployment.function_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployment.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": deployment.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": deployment.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_LOG_FORMAT": deployment.log_format,
        "AWS_LAMBDA_RUNTIME_API": api_address,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_ACCESS_KEY_ID": PLACEHOLDER_KEY,
        "AWS_SECRET_ACCESS_KEY": PLACEHOLDER_KEY,
        "AWS_SESSION_TOKEN": PLACEHOLDER_KEY,
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if tmp_dir is not None:
        variables["TMPDIR"] = tmp_dir
    variables.update(deployment.environment)
    path = [part for part in (variables.get("PYTHONPATH"), *interpreter.python_path) if part]
    if path:
        variables["PYTHONPATH"] = ":".join(path)
    return variables
