"""A template's resources: how they are written and named, and what can be created locally.

The names and ARNs are those that CloudFormation's reference gives for `Ref` and `Fn::GetAtt`; a
resource without a name is called `local-` and its logical id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.errors import TemplateError
from tuner.iac.supported_properties import FUNCTION, FUNCTIONS, LAYERS
from tuner.iac.template import IgnoredPart, TemplateResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.iac.document import TemplateNode
    from tuner.iac.supported_properties import Notes

Reference = Literal["name", "arn", "url"]
_MAX_NAME: Final = 80
_NOT_MADE_OF: Final = "the local resource is made without it"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of resource: how it is named, and which properties matter for creating it."""

    arn: str
    """With {region}, {account} and {name}."""
    name_property: str = "Name"
    ref: Reference = "name"
    """What Ref returns."""
    attributes: Mapping[str, Reference] = field(default_factory=lambda: {"Arn": "arn"})
    """What Fn::GetAtt returns."""
    made_of: frozenset[str] | None = None
    """The properties that it's created from; None if it can't be created here."""


_TABLE: Final = Kind(
    "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "TableName",
    made_of=frozenset(
        {"AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema",
         "LocalSecondaryIndexes", "OnDemandThroughput", "ProvisionedThroughput"}
    ),
)  # fmt: skip

KINDS: Final[Mapping[str, Kind]] = {
    "AWS::DynamoDB::Table": _TABLE,
    "AWS::Serverless::SimpleTable": Kind(
        _TABLE.arn, "TableName", made_of=frozenset({"PrimaryKey"})
    ),
    "AWS::S3::Bucket": Kind(
        "arn:aws:s3:::{name}", "BucketName", made_of=frozenset({"VersioningConfiguration"})
    ),
    "AWS::SNS::Topic": Kind(
        "arn:aws:sns:{region}:{account}:{name}",
        "TopicName",
        ref="arn",
        attributes={"TopicArn": "arn", "TopicName": "name"},
        made_of=frozenset({"FifoTopic"}),
    ),
    "AWS::SQS::Queue": Kind(
        "arn:aws:sqs:{region}:{account}:{name}",
        "QueueName",
        ref="url",
        attributes={"Arn": "arn", "QueueName": "name", "QueueUrl": "url"},
        made_of=frozenset(
            {"ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue",
             "FifoThroughputLimit", "MaximumMessageSize", "MessageRetentionPeriod",
             "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout"}
        ),
    ),
    "AWS::ApiGateway::Stage": Kind("", "StageName", attributes={}),
    "AWS::ApiGatewayV2::Stage": Kind("", "StageName", attributes={}),
    "AWS::Events::EventBus": Kind("arn:aws:events:{region}:{account}:event-bus/{name}"),
    "AWS::IAM::Role": Kind("arn:aws:iam::{account}:role/{name}", "RoleName"),
    "AWS::Kinesis::Stream": Kind(
        "arn:aws:kinesis:{region}:{account}:stream/{name}",
        made_of=frozenset({"ShardCount", "StreamModeDetails"}),
    ),
    "AWS::KinesisFirehose::DeliveryStream": Kind(
        "arn:aws:firehose:{region}:{account}:deliverystream/{name}", "DeliveryStreamName"
    ),
    "AWS::KMS::Key": Kind("arn:aws:kms:{region}:{account}:key/{name}"),
    "AWS::Logs::LogGroup": Kind(
        "arn:aws:logs:{region}:{account}:log-group:{name}:*", "LogGroupName"
    ),
    "AWS::SecretsManager::Secret": Kind(
        "arn:aws:secretsmanager:{region}:{account}:secret:{name}", ref="arn", attributes={}
    ),
    "AWS::Serverless::StateMachine": Kind(
        "arn:aws:states:{region}:{account}:stateMachine:{name}", ref="arn"
    ),
    "AWS::StepFunctions::StateMachine": Kind(
        "arn:aws:states:{region}:{account}:stateMachine:{name}", "StateMachineName", ref="arn"
    ),
}  # fmt: skip
_OTHER: Final = Kind("", attributes={})
"""Ref returns the physical id, which is a name for most types; their ARNs differ too much."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as written."""

    logical_id: str
    key: TemplateNode
    type: str
    attributes: Mapping[str, tuple[TemplateNode, TemplateNode]]

    @property
    def metadata(self) -> TemplateNode | None:
        """The tools' own notes, if there are any."""
        return self.attributes["Metadata"][1] if "Metadata" in self.attributes else None

    def properties(self) -> dict[str, TemplateNode]:
        """All properties by name. Raises TemplateError."""
        if "Properties" not in self.attributes:
            return {}
        return self.attributes["Properties"][1].values(f"the properties of {self.logical_id}")

    def used_properties(self, notes: Notes) -> dict[str, TemplateNode]:
        """For a function or layer: the properties that are used, the others noted or refused."""
        whose = f" of {self.logical_id}"
        used = notes.attributes(self.attributes, whose)
        if "Properties" not in used:
            return {}
        entries = used["Properties"].entries(f"the properties{whose}")
        return notes.used(entries, {**FUNCTIONS, **LAYERS}[self.type], whose)

    def globals_of(self, shared: Mapping[str, TemplateNode]) -> Mapping[str, TemplateNode]:
        """Return the globals that apply: for SAM's functions only, and those not refused there."""
        if self.type != FUNCTION or "IgnoreGlobals" not in self.attributes:
            return shared if self.type == FUNCTION else {}
        node = self.attributes["IgnoreGlobals"][1]
        if not node.is_list and node.text("IgnoreGlobals") == "*":
            return {}
        refused = {item.text("IgnoreGlobals") for item in node.items("IgnoreGlobals")}
        return {name: value for name, value in shared.items() if name not in refused}


@dataclass(frozen=True, slots=True)
class OtherResource:
    """A resource that isn't run: what refers to it, and what it would be created from."""

    references: Mapping[str, str]
    """By what is written in Ref (`Id`) and in Fn::GetAtt (`Id.Attribute`)."""
    wanted: TemplateResource | str | None
    """What to create; or why it can't be, with its line; None if its kind can't."""
    ignored: tuple[IgnoredPart, ...] = ()
    """Properties that the created resource lacks, such as a queue's RedrivePolicy."""


def read_resource(
    resource: Resource, *, region: str, account_id: str, endpoint_url: str
) -> OtherResource:
    """Return a resource that isn't a function; nothing in it is refused."""
    logical_id, resource_type = resource.logical_id, resource.type
    kind = KINDS.get(resource_type, _OTHER)
    ignored: tuple[IgnoredPart, ...] = ()
    try:
        nodes = resource.properties()
        name = _name(logical_id, resource_type, kind, nodes)
        wanted: TemplateResource | str | None = None
        if kind.made_of is not None:
            told = {each: nodes[each] for each in kind.made_of if each in nodes}
            plain = {each: plain_value(node, each) for each, node in told.items()}
            wanted = TemplateResource(logical_id, resource_type, name, plain, resource.key.line)
            ignored = tuple(
                IgnoredPart(each, f" of {logical_id}", _NOT_MADE_OF, node.line)
                for each, node in nodes.items()
                if each not in {*kind.made_of, kind.name_property}
            )
    except TemplateError as refused:
        name = _own_name(logical_id, resource_type)
        wanted = None if kind.made_of is None else str(refused)
    arn = kind.arn.format(region=region, account=account_id, name=name)
    values = {"name": name, "arn": arn, "url": f"{endpoint_url}/{account_id}/{name}"}
    references = {f"{logical_id}.{each}": values[what] for each, what in kind.attributes.items()}
    references[logical_id] = values[kind.ref]
    return OtherResource(references, wanted, ignored)


def plain_value(node: TemplateNode, what: str) -> Any:
    """Return texts, lists and mappings with everything resolved."""
    found = node.resolved(what)
    if found.is_mapping:
        return {name: plain_value(value, name) for name, value in found.values(what).items()}
    if found.is_list:
        return [plain_value(item, what) for item in found.items(what)]
    return found.text(what)


def _name(
    logical_id: str, resource_type: str, kind: Kind, nodes: Mapping[str, TemplateNode]
) -> str:
    """Its given name; without one, a name that is the same in every run."""
    given = nodes.get(kind.name_property)
    if given is not None:
        return given.text(kind.name_property)
    is_fifo = any(
        nodes[each].text(each) == "true" for each in ("FifoQueue", "FifoTopic") if each in nodes
    )
    return _own_name(logical_id, resource_type) + (".fifo" if is_fifo else "")


def _own_name(logical_id: str, resource_type: str) -> str:
    name = f"local-{logical_id}"[: _MAX_NAME - len(".fifo")]
    return name.lower()[:63] if resource_type == "AWS::S3::Bucket" else name
