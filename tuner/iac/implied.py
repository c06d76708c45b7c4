"""References that need more than their resource: aliases, stages, and what SAM generates.

The logical ids are those of SAM's reference of generated CloudFormation resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.iac.support import FUNCTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.iac.document import Place
    from tuner.iac.intrinsics import Scope

ALIAS: Final = "AWS::Lambda::Alias"
VERSION: Final = "AWS::Lambda::Version"
_STAGE: Final = "AWS::ApiGateway::Stage"
_HTTP_STAGE: Final = "AWS::ApiGatewayV2::Stage"
_APIS: Final = {"AWS::Serverless::Api": _STAGE, "AWS::Serverless::HttpApi": _HTTP_STAGE}
_OF_EVENTS: Final = {
    "ServerlessRestApi": ("local-ServerlessRestApi", "AWS::ApiGateway::RestApi"),
    "ServerlessRestApi.Stage": ("Prod", _STAGE),
    "ServerlessRestApiProdStage": ("Prod", _STAGE),
    "ServerlessHttpApi": ("local-ServerlessHttpApi", "AWS::ApiGatewayV2::Api"),
    "ServerlessHttpApi.Stage": ("$default", _HTTP_STAGE),
    "ServerlessHttpApiApiGatewayDefaultStage": ("$default", _HTTP_STAGE),
}
"""What the events of functions make."""


def implied_by(
    logical_id: str,
    resource_type: str,
    properties: Place | None,
    scope: Scope,
    shared: Mapping[str, Place],
) -> Mapping[str, tuple[str, str]]:
    """Return value and type by what stands in Ref (or `Id.Part` in Fn::GetAtt).

    `shared` are the globals that hold for the resource.

    Raises TemplateError where it depends on what only an account has.
    """
    entries = {} if properties is None else properties.entries(f"the properties of {logical_id}")

    def text(name: str, default: str) -> str:
        return entries[name][1].text(name) if name in entries else default

    region, account_id = scope.pseudo["AWS::Region"], scope.pseudo["AWS::AccountId"]
    if resource_type in {ALIAS, VERSION}:
        of = text("FunctionName", "")
        arn = of if of.startswith("arn:") else f"arn:aws:lambda:{region}:{account_id}:function:{of}"
        end = text("Name", "") if resource_type == ALIAS else "1"
        return {logical_id: (f"{arn}:{end}", resource_type)}
    if resource_type in _APIS:
        stage = text("StageName", "$default")
        named = "ApiGatewayDefault" if stage == "$default" else stage
        kind = _APIS[resource_type]
        return {
            f"{logical_id}.Stage": (stage, kind),
            f"{logical_id}{named}Stage": (stage, kind),
        }
    if resource_type not in {FUNCTION, "AWS::Serverless::StateMachine"}:
        return {}
    role = f"local-{logical_id}Role"
    made = {
        f"{logical_id}Role": (role, "AWS::IAM::Role"),
        f"{logical_id}Role.Arn": (f"arn:aws:iam::{account_id}:role/{role}", "AWS::IAM::Role"),
    }
    if resource_type != FUNCTION:
        return made
    own = {name: place for name, (_, place) in entries.items()}
    if place := {**shared, **own}.get("AutoPublishAlias"):
        alias, arn = place.text("AutoPublishAlias"), scope.resources[f"{logical_id}.Arn"]
        made[f"{logical_id}.Alias"] = made[f"{logical_id}Alias{alias}"] = (f"{arn}:{alias}", ALIAS)
        made[f"{logical_id}.Version"] = (f"{arn}:1", VERSION)
    return {**made, **_OF_EVENTS}
