"""The environment variables of an execution environment, as handlers found them on Lambda."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.local.deployment import Deployment

LANG_DIR: Final = "/var/lang"
"""Where Lambda's interpreters are."""
RUNTIME_DIR: Final = "/var/runtime"
PLACEHOLDER_KEY = "local"
"""Local credentials: they sign, but open nothing."""
_XRAY_HOST, _XRAY_PORT = "127.0.0.1", "2000"
"""Nothing listens there; segments are sent by UDP, so nobody waits for an answer."""


def function_variables(
    deployment: Deployment,
    own: Mapping[str, str],
    *,
    api_address: str,
    log_stream: str,
    tmp_dir: str | None,
) -> dict[str, str]:
    """All variables of one execution environment; none come from the caller's own.

    Credentials are placeholders, and no file or metadata service is asked for others, so a handler
    can't act with the operator's. `own` are the program's. `tmp_dir` is set if /tmp can't be made
    private: then home folders can't be hidden either.
    """
    variables = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": deployment.handler,
        "LAMBDA_TASK_ROOT": str(deployment.code_dir),
        "LAMBDA_RUNTIME_DIR": RUNTIME_DIR,
        "AWS_REGION": deployment.region,
        "AWS_DEFAULT_REGION": deployment.region,
        "AWS_LAMBDA_FUNCTION_NAME": deployment.function_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployment.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": deployment.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": deployment.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": api_address,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"{_XRAY_HOST}:{_XRAY_PORT}",
        "_AWS_XRAY_DAEMON_ADDRESS": _XRAY_HOST,
        "_AWS_XRAY_DAEMON_PORT": _XRAY_PORT,
        "AWS_ACCESS_KEY_ID": PLACEHOLDER_KEY,
        "AWS_SECRET_ACCESS_KEY": PLACEHOLDER_KEY,
        "AWS_SESSION_TOKEN": PLACEHOLDER_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if deployment.log_format == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
    if deployment.application_log_level is not None:
        variables["AWS_LAMBDA_LOG_LEVEL"] = deployment.application_log_level
    if tmp_dir is not None:
        variables |= dict.fromkeys(("HOME", "TMPDIR"), tmp_dir)
        variables |= dict.fromkeys(("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"), "/dev/null")
    return {**variables, **own, **dict(deployment.environment)}


def managed_variables(deployment: Deployment, bin_dir: str) -> dict[str, str]:
    """What every runtime but the OS-only ones has besides; its interpreter is in `bin_dir`."""
    return {
        **_search_paths(deployment, bin_dir),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{deployment.runtime}",
        "PWD": str(deployment.code_dir),
        "SHLVL": "0",  # a shell starts Lambda's clients
    }


def os_only_variables(deployment: Deployment) -> dict[str, str]:
    """What `provided` runtimes have besides; before Amazon Linux 2023 they lacked /var/lang."""
    has_lang = deployment.runtime == "provided.al2023"
    return _search_paths(deployment, f"{LANG_DIR}/bin" if has_lang else None)


def bin_dir_of(executable: str, links: Mapping[str, str]) -> str:
    """Where an interpreter is seen: in Lambda's place, if there is a link to its folder."""
    return f"{LANG_DIR}/bin" if LANG_DIR in links else str(Path(executable).parent)


def layers_dir(deployment: Deployment) -> str:
    """Where the layers' files are seen."""
    return "/opt" if deployment.opt_dir is None else str(deployment.opt_dir)


def _search_paths(deployment: Deployment, bin_dir: str | None) -> dict[str, str]:
    code, layers = deployment.code_dir, layers_dir(deployment)
    commands = f"/usr/local/bin:/usr/bin/:/bin:{layers}/bin"
    system = f"/lib64:/usr/lib64:{RUNTIME_DIR}:{RUNTIME_DIR}/lib"
    libraries = f"{system}:{code}:{code}/lib:{layers}/lib"
    if bin_dir is None:
        return {"PATH": commands, "LD_LIBRARY_PATH": libraries}
    return {"PATH": f"{bin_dir}:{commands}", "LD_LIBRARY_PATH": f"{LANG_DIR}/lib:{libraries}"}
