"""The environment variables of a function, as Lambda sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.local.deployment import Deployment

PLACEHOLDER_KEY = "local"
"""Local credentials: they sign, and open nothing."""


def function_variables(
    deployment: Deployment,
    search_paths: Mapping[str, tuple[str, ...]],
    *,
    api_address: str,
    log_stream: str,
    home_dir: str,
    tmp_dir: str | None,
) -> dict[str, str]:
    """All variables of one execution environment; nothing comes from the caller's own.

    Credentials are placeholders and no file or metadata service is asked for others, so that a
    handler cannot act with the operator's. `search_paths` are the program's own; layers are found
    through them. `tmp_dir` is set where /tmp cannot be made private.
    """
    variables = {
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
    paths = _paths(deployment, search_paths)
    variables |= {name: ":".join(parts) for name, parts in paths.items()}
    if deployment.application_log_level is not None:
        variables["AWS_LAMBDA_LOG_LEVEL"] = deployment.application_log_level
    variables.update(deployment.environment)
    # A function may have a PYTHONPATH of its own, but the runtime client must still be found.
    own = dict(deployment.environment).get("PYTHONPATH")
    if own and search_paths.get("PYTHONPATH"):
        variables["PYTHONPATH"] = ":".join((own, *search_paths["PYTHONPATH"]))
    return variables


def _paths(
    deployment: Deployment, search_paths: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Complete the program's search paths with what every runtime of Lambda's has."""
    opt = () if deployment.opt_dir is None else (str(deployment.opt_dir),)
    libraries = (str(deployment.code_dir), f"{deployment.code_dir}/lib")
    every = {
        **search_paths,
        "PATH": (
            *search_paths.get("PATH", ()),
            *("/usr/local/bin", "/usr/bin", "/bin"),
            *(f"{folder}/bin" for folder in opt),
        ),
        "LD_LIBRARY_PATH": (*libraries, *(f"{folder}/lib" for folder in opt)),
    }
    return {name: parts for name, parts in every.items() if parts}
