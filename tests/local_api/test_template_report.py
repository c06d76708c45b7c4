"""What a template has beside its functions is made in the emulated services, or told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local_api.conftest import make_client
from tests.scripted_executor import ScriptedExecutor
from tuner.errors import LocalError
from tuner.local import LocalLambda

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.model.finding import Finding

TEMPLATE = """\
Resources:
  Thumbs:
    Type: AWS::S3::Bucket
    Properties: {VersioningConfiguration: {Status: Enabled}, LifecycleConfiguration: {Rules: []}}
  Bad: {Type: AWS::S3::Bucket, Properties: {BucketName: ab}}
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: true
      ContentBasedDeduplication: true
      VisibilityTimeout: 70
      DeduplicationScope: messageGroup
      FifoThroughputLimit: perMessageGroupId
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      AttributeDefinitions:
        - {AttributeName: id, AttributeType: S}
        - {AttributeName: day, AttributeType: "N"}
      ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 6}
      GlobalSecondaryIndexes:
        - IndexName: by-day
          KeySchema: [{AttributeName: day, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
          ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}
  Notes: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: k, Type: Number}}}
  News: {Type: AWS::SNS::Topic}
  Clicks:
    Type: AWS::Kinesis::Stream
    Properties: {ShardCount: 3, StreamModeDetails: {StreamMode: PROVISIONED}}
  Gate: {Type: AWS::ApiGateway::RestApi}
  Db: {Type: AWS::RDS::DBInstance}
  F:
    Type: AWS::Lambda::Function
    Properties:
      Code: {ZipFile: "def handler(event, context): return 1"}
      Handler: index.handler
      Runtime: python3.11
      Role: !GetAtt Role.Arn
      Environment:
        Variables: {QUEUE: !Ref Jobs, TOPIC: !Ref News, TABLE: !Ref Orders, DB: !Ref Db}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLambda]:
    path = tmp_path_factory.mktemp("beside") / "template.yaml"
    path.write_text(TEMPLATE)
    with LocalLambda.from_template(
        path, executor=ScriptedExecutor(), region="eu-west-1"
    ) as started:
        yield started


def variables(server: LocalLambda) -> dict[str, str]:
    client = make_client(server)
    found = client.get_function_configuration(FunctionName="F")["Environment"]["Variables"]
    client.close()
    return dict(found)


def test_the_services_know_what_the_function_is_told_of(server: LocalLambda) -> None:
    """A bucket, a queue, a table, a topic and a stream answer by the names in the function's
    variables, or by their own.
    """
    named = variables(server)
    services = ("s3", "sqs", "dynamodb", "sns", "kinesis")
    clients: list[Any] = [make_client(server, name) for name in services]
    s3, sqs, dynamodb, sns, kinesis = clients
    assert s3.get_bucket_versioning(Bucket="local-thumbs")["Status"] == "Enabled"
    assert s3.get_bucket_location(Bucket="local-thumbs")["LocationConstraint"] == "eu-west-1"
    assert named["QUEUE"].startswith(server.endpoint_url)
    told = sqs.get_queue_attributes(QueueUrl=named["QUEUE"], AttributeNames=["All"])["Attributes"]
    assert (told["VisibilityTimeout"], told["ContentBasedDeduplication"]) == ("70", "true")
    assert told["FifoThroughputLimit"] == "perMessageGroupId"
    table = dynamodb.describe_table(TableName=named["TABLE"])["Table"]
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 6
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-day"]
    dynamodb.put_item(TableName="local-Notes", Item={"k": {"N": "1"}})
    assert sns.publish(TopicArn=named["TOPIC"], Message="hello")["MessageId"]
    stream = kinesis.describe_stream_summary(StreamName="local-Clicks")["StreamDescriptionSummary"]
    assert stream["OpenShardCount"] == 3
    for client in clients:
        client.close()


def test_a_line_names_what_was_made_and_one_what_is_not_here(server: LocalLambda) -> None:
    """By types with their counts; what could not be made and what the function lacks by name."""
    said = {finding.code: finding.message for finding in server.findings}
    assert said["template_resources_made"].endswith(
        ": AWS::DynamoDB::Table, AWS::Kinesis::Stream, AWS::S3::Bucket, AWS::SNS::Topic, "
        "AWS::SQS::Queue, AWS::Serverless::SimpleTable"
    )
    assert said["template_resources_left_out"].endswith(
        ": AWS::ApiGateway::RestApi, AWS::RDS::DBInstance"
    )
    assert "Bad (AWS::S3::Bucket, line 5): The specified" in said["template_resource_not_made"]
    assert "F refers to Db (AWS::RDS::DBInstance)" in said["template_resource_not_here"]


def test_without_emulated_services_nothing_is_made(tmp_path: Path) -> None:
    """An endpoint for Lambda alone says so of each, and serves the functions."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    with LocalLambda.from_template(
        path, executor=ScriptedExecutor(), emulated_services=False
    ) as endpoint:
        said = [each for each in endpoint.findings if each.code == "template_resource_not_made"]
        assert len(said) == 7
        assert endpoint.status()["functions"] == ["F"]


class Bare(ScriptedExecutor):
    """A machine that lacks what every function needs."""

    def runtime_findings(self, runtime: str) -> tuple[Finding, ...]:
        raise LocalError("the runtime's client is not installed: install it")


def test_what_every_function_lacks_is_said_once(tmp_path: Path) -> None:
    """Where none is left, one line, not one for each of the template's functions."""
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n"
        + "".join(
            f"  {name}: {{Type: AWS::Lambda::Function, Properties: {{Handler: index.handler, "
            f"Runtime: python3.11, Role: r, Code: {{ZipFile: 'x'}}}}}}\n"
            for name in "ABC"
        )
    )
    with pytest.raises(LocalError) as refused:
        LocalLambda.from_template(template, executor=Bare(), region="eu-west-1").close()
    assert str(refused.value) == (
        "no function of the template runs here: the runtime's client is not installed: install it"
    )
