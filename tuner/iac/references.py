"""Lets a template's functions refer to its resources: what Ref and Fn::GetAtt return for them.

Aliases, stages and what SAM generates need more than their resource; their logical ids are those in
SAM's reference of generated CloudFormation resources.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tuner.errors import TemplateError
from tuner.iac.artifacts import layer_arn, read_layer
from tuner.iac.resources import read_resource
from tuner.iac.supported_properties import FUNCTION, FUNCTIONS, LAYERS, Notes
from tuner.iac.template import TemplateLayer, TemplateResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.iac.document import TemplateNode
    from tuner.iac.intrinsics import Scope
    from tuner.iac.resources import Resource

_ALIAS: Final = "AWS::Lambda::Alias"
_VERSION: Final = "AWS::Lambda::Version"
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
"""What functions' events generate."""
_ALWAYS_HERE: Final = "AWS::Logs::LogGroup"  # a log group is created by its first line


@dataclass(slots=True)
class References:
    """Fills a scope with what can be referred to, and tracks everything besides functions."""

    scope: Scope
    endpoint_url: str
    notes: Notes
    layers: dict[str, TemplateLayer | str] = field(default_factory=dict)
    """By ARN; for those that can't be read, what is wrong."""
    resources: list[TemplateResource] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Types of what is neither run nor created, by logical id."""
    not_made: list[str] = field(default_factory=list)
    names_all: bool = False
    """Whether a function whose name only an account knows is called by its logical id."""
    _generated: dict[str, str] = field(default_factory=dict)
    """Types of what SAM would generate, by logical id."""
    _qualifiers: dict[str, set[str]] = field(default_factory=dict)
    """Aliases and versions of functions, by the function's ARN."""

    @property
    def _region(self) -> str:
        return self.scope.pseudo["AWS::Region"]

    @property
    def _account_id(self) -> str:
        return self.scope.pseudo["AWS::AccountId"]

    def add(self, resources: Mapping[str, Resource], shared: Mapping[str, TemplateNode]) -> None:
        """Let functions refer to all resources; their own names may refer to the others."""
        scope = self.scope
        functions = {n: each for n, each in resources.items() if each.type in FUNCTIONS}
        scope.types.update({name: resource.type for name, resource in resources.items()})
        for resource in functions.values():  # other resources may be named after them
            with contextlib.suppress(TemplateError):
                self._add_function(resource)
        for name, resource in resources.items():
            if resource.type in LAYERS:
                self._add_layer(resource)
            elif name not in functions:
                self._add_other(resource)
        for name, resource in functions.items():
            if name in scope.resources:
                continue
            try:
                self._add_function(resource)
            except TemplateError:
                if not self.names_all:
                    raise
                self._name_function(resource, name)
        for resource in resources.values():
            self._add_generated(resource, resource.globals_of(shared))

    def qualifiers(self, logical_id: str) -> tuple[str, ...]:
        """The aliases of a function, and "1" where the template makes a version."""
        return tuple(sorted(self._qualifiers.get(self.scope.resources[f"{logical_id}.Arn"], ())))

    def not_here(self) -> tuple[str, ...]:
        """What was referred to but isn't created locally, with its type."""
        known = {**self._generated, **self.skipped}
        kinds = ((name, known[name]) for name in sorted(self.scope.referred & known.keys()))
        return tuple(f"{name} ({kind})" for name, kind in kinds if kind != _ALWAYS_HERE)

    def _add_function(self, resource: Resource) -> None:
        given = resource.properties().get("FunctionName")
        name = given.text("FunctionName") if given else resource.logical_id
        self._name_function(resource, name)

    def _name_function(self, resource: Resource, name: str) -> None:
        self.scope.resources[resource.logical_id] = name
        arn = f"arn:aws:lambda:{self._region}:{self._account_id}:function:{name}"
        self.scope.resources[f"{resource.logical_id}.Arn"] = arn

    def _add_other(self, resource: Resource) -> None:
        """Let functions refer to what isn't run, and note whether it can be created."""
        other = read_resource(
            resource,
            region=self._region,
            account_id=self._account_id,
            endpoint_url=self.endpoint_url,
        )
        self.scope.resources.update(other.references)
        if isinstance(other.wanted, TemplateResource):
            self.resources.append(other.wanted)
            self.notes.ignored += other.ignored
            return
        self.skipped[resource.logical_id] = resource.type
        if other.wanted is not None:
            self.not_made.append(other.wanted)

    def _add_generated(self, resource: Resource, shared: Mapping[str, TemplateNode]) -> None:
        """Let functions refer to what SAM generates for a resource, and to aliases and stages."""
        scope = self.scope
        try:
            found = _generated_from(resource, scope, shared)
        except TemplateError:  # it has a value that only an account knows
            return
        for name, (value, kind) in found.items():
            if name not in scope.types or name == resource.logical_id:
                scope.resources[name] = value
            of, _, qualifier = value.rpartition(":")
            if kind in {_ALIAS, _VERSION} and of in scope.resources.values():
                self._qualifiers.setdefault(of, set()).add(qualifier)
                self.skipped.pop(name, None)
            elif "." not in name:
                self._generated.setdefault(name, kind)

    def _add_layer(self, resource: Resource) -> None:
        """Let functions refer to a layer; one that can't be read fails those that use it."""
        layer: TemplateLayer | str
        try:
            nodes = resource.used_properties(self.notes)
            layer = read_layer(resource.logical_id, resource.key, nodes, resource.metadata)
            name = layer.name
        except TemplateError as refused:
            layer, name = str(refused), resource.logical_id
        arn = layer_arn(name, self._region, self._account_id)
        if arn in self.layers:
            resource.key.refuse(f"{resource.logical_id} has the name {name}, as another layer has")
        self.layers[arn] = layer
        self.scope.resources[resource.logical_id] = arn


def _generated_from(
    resource: Resource, scope: Scope, shared: Mapping[str, TemplateNode]
) -> Mapping[str, tuple[str, str]]:
    """Return value and type by what is written in Ref (or `Id.Part` in Fn::GetAtt).

    `shared` are the resource's globals. Raises TemplateError if it depends on what only an account
    has.
    """
    logical_id, resource_type, own = resource.logical_id, resource.type, resource.properties()

    def text(name: str, default: str) -> str:
        return own[name].text(name) if name in own else default

    region, account_id = scope.pseudo["AWS::Region"], scope.pseudo["AWS::AccountId"]
    if resource_type in {_ALIAS, _VERSION}:
        of = text("FunctionName", "")
        arn = of if of.startswith("arn:") else f"arn:aws:lambda:{region}:{account_id}:function:{of}"
        end = text("Name", "") if resource_type == _ALIAS else "1"
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
    if node := {**shared, **own}.get("AutoPublishAlias"):
        alias, arn = node.text("AutoPublishAlias"), scope.resources[f"{logical_id}.Arn"]
        made[f"{logical_id}.Alias"] = made[f"{logical_id}Alias{alias}"] = (f"{arn}:{alias}", _ALIAS)
        made[f"{logical_id}.Version"] = (f"{arn}:1", _VERSION)
    return {**made, **_OF_EVENTS}
