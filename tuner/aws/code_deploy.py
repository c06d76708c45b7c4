"""Whether CodeDeploy shifts a function's alias: nothing on the function or the alias says so.

The stack that made the function says it: SAM's DeploymentPreference makes a deployment group of the
function's logical id. Others are told by their last deployment, which names function and alias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from tuner.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.aws.services import Services

_STACK: Final = "aws:cloudformation:stack-name"
_LOGICAL_ID: Final = "aws:cloudformation:logical-id"
_GROUP: Final = "AWS::CodeDeploy::DeploymentGroup"
_APPLICATION: Final = "AWS::CodeDeploy::Application"


def deployment_group(
    services: Services, tags: Mapping[str, str], function: str, alias: str
) -> str | None:
    """The deployment group that shifts the alias, in words; None if none is known to.

    Raises AwsError: AccessDeniedError where it can't be known.
    """
    stack = tags.get(_STACK)
    if stack is None:
        return None
    groups: list[str] = []
    applications: list[str] = []
    for resource in services.listed("cloudformation", "ListStackResources", StackName=stack):
        kind, logical_id = resource.get("ResourceType"), resource.get("LogicalResourceId", "")
        if kind == _GROUP and logical_id == f"{tags.get(_LOGICAL_ID)}DeploymentGroup":
            return f"deployment group {logical_id} of the stack {stack}"
        if kind == _GROUP:
            groups.append(resource.get("PhysicalResourceId", ""))
        elif kind == _APPLICATION:
            applications.append(resource.get("PhysicalResourceId", ""))
    for application in applications:
        for group in groups:
            if _shifts(services, application, group, function, alias):
                return f"deployment group {group} of the stack {stack}"
    return None


def _shifts(services: Services, application: str, group: str, function: str, alias: str) -> bool:
    try:
        answer = services.ask(
            "codedeploy",
            "GetDeploymentGroup",
            applicationName=application,
            deploymentGroupName=group,
        )
    except AccessDeniedError:
        raise
    except AwsError:
        return False  # it's another application's
    revision = answer.get("deploymentGroupInfo", {}).get("targetRevision", {})
    content = (revision.get("appSpecContent") or revision.get("string") or {}).get("content", "")
    return any(
        (each.get("Name"), each.get("Alias")) == (function, alias) for each in _targets(content)
    )


def _targets(content: str) -> list[dict[str, Any]]:
    """The functions that an AppSpec names."""
    try:
        resources = yaml.safe_load(content)["Resources"]
        return [dict(each["Properties"]) for named in resources for each in named.values()]
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError):
        return []
