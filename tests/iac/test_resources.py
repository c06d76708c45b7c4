"""What stands beside the functions is skipped, and what they say of it comes to something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.iac.writing import write
from tuner.errors import TemplateError
from tuner.iac import Template, read_template

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
Parameters: {Stage: {Type: String, Default: dev}}
Globals: {Function: {CodeUri: code, Handler: app.handler, Runtime: python3.11}}
Resources:
  Thumbs: {Type: AWS::S3::Bucket}
  Named: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${AWS::AccountId}-thumbs"}}
  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "jobs-${Stage}"}}
  Strict: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: !Ref Units}
  Simple: {Type: AWS::Serverless::SimpleTable}
  News: {Type: AWS::SNS::Topic}
  Flow: {Type: AWS::Serverless::StateMachine}
  Door: {Type: AWS::Serverless::HttpApi}
  Db: {Type: AWS::RDS::DBInstance, Properties: {Engine: !GetAtt Nowhere.Else}}
  Mine: {Type: "Custom::Thing"}
  LogGroup: {Type: AWS::Logs::LogGroup}
"""


def read(folder: Path, written: str = "none", **parameters: str) -> Template:
    """Read F, whose variable KEY has this value."""
    function = (
        "  F:\n    Type: AWS::Serverless::Function\n"
        f"    Properties: {{Environment: {{Variables: {{KEY: {written}}}}}}}\n"
    )
    return read_template(
        write(folder, HEAD + function),
        region="eu-west-1",
        endpoint_url="http://127.0.0.1:9000",
        parameters=parameters,
    )


@pytest.mark.parametrize(
    ("written", "comes_to"),
    [
        ("!Ref Thumbs", "local-thumbs"),
        ("!GetAtt Named.Arn", "arn:aws:s3:::123456789012-thumbs"),
        ("!Ref Jobs", "http://127.0.0.1:9000/123456789012/jobs-dev"),
        ("!GetAtt Jobs.QueueName", "jobs-dev"),
        ("!GetAtt Strict.Arn", "arn:aws:sqs:eu-west-1:123456789012:local-Strict.fifo"),
        ("!Sub '${Simple}/${Simple.Arn}'",
         "local-Simple/arn:aws:dynamodb:eu-west-1:123456789012:table/local-Simple"),
        ("!Ref News", "arn:aws:sns:eu-west-1:123456789012:local-News"),
        ("!Ref Flow", "arn:aws:states:eu-west-1:123456789012:stateMachine:local-Flow"),
        ("!Sub 'https://${Door}.execute-api'", "https://local-Door.execute-api"),
        ("!Ref Mine", "local-Mine"),
    ],
)  # fmt: skip
def test_a_reference_comes_to_a_local_name(tmp_path: Path, written: str, comes_to: str) -> None:
    """The same in every run, in the form that CloudFormation gives."""
    [function] = read(tmp_path, written).functions
    assert dict(function.environment) == {"KEY": comes_to}


def test_what_can_be_made_and_what_cannot(tmp_path: Path) -> None:
    """Buckets, queues, tables and topics, with what they are made of; the others by type only."""
    template = read(tmp_path)
    made = {resource.logical_id: resource for resource in template.resources}
    assert list(made) == ["Thumbs", "Named", "Jobs", "Strict", "Simple", "News"]
    assert made["Strict"].properties == {"FifoQueue": "true"}
    assert (made["Thumbs"].line, made["Thumbs"].properties) == (4, {})
    assert template.skipped == (
        "AWS::DynamoDB::Table",
        "AWS::Serverless::StateMachine",
        "AWS::Serverless::HttpApi",
        "AWS::RDS::DBInstance",
        "Custom::Thing",
        "AWS::Logs::LogGroup",
    )
    [why] = template.not_made  # its throughput is a parameter that the template has not
    assert why.startswith(f"{tmp_path}/template.yaml:13: WriteCapacityUnits refers to Units, which")


@pytest.mark.parametrize(
    ("written", "missing"),
    [
        ("!Ref Db", ("Db (AWS::RDS::DBInstance)",)),
        ("!Sub '${Orders}${Mine}'", ("Mine (Custom::Thing)", "Orders (AWS::DynamoDB::Table)")),
        ("!Ref Jobs", ()),
        ("!Ref LogGroup", ()),
    ],
)
def test_a_function_is_known_to_need_what_is_not_here(
    tmp_path: Path, written: str, missing: tuple[str, ...]
) -> None:
    """Only what its settings refer to, and only what cannot be made."""
    assert read(tmp_path, written).functions[0].not_here == missing


def test_a_value_that_only_an_account_has_leaves_the_function_out(tmp_path: Path) -> None:
    """One line with the place, the type and what to do; other functions remain."""
    other = "  G: {Type: AWS::Serverless::Function}\n"
    path = write(tmp_path, HEAD + other)
    path.write_text(
        path.read_text()
        + "  F: {Type: AWS::Serverless::Function, Properties: "
        + "{Environment: {Variables: {DB: !GetAtt Db.Endpoint.Address}}}}\n"
    )
    template = read_template(path)
    assert [function.name for function in template.functions] == ["G"]
    why = template.left_out["F"]
    assert why.startswith(f"{path}:22: the environment variable DB refers to Db.Endpoint.Address")
    assert "AWS::RDS::DBInstance" in why
    assert "DB=VALUE" in why
    [_, given] = read_template(path, environment={"DB": "host"}).functions
    assert dict(given.environment) == {"DB": "host"}


def test_a_variable_that_no_function_has_cannot_be_given(tmp_path: Path) -> None:
    """It is a misspelled one; those that there are are named, and no value."""
    path = write(
        tmp_path,
        HEAD + "  F:\n    Type: AWS::Serverless::Function\n    Properties: "
        "{Environment: {Variables: {DB: x}}}\n",
    )
    with pytest.raises(TemplateError, match="no function has the environment variable BD: they"):
        read_template(path, environment={"BD": "hunter2"})


def test_what_is_made_without_a_part_says_so_by_name(tmp_path: Path) -> None:
    """A dead-letter queue and a stream are not there locally: nobody shall wait for them."""
    text = (
        "Resources:\n"
        "  Jobs:\n    Type: AWS::SQS::Queue\n"
        "    Properties: {QueueName: jobs, RedrivePolicy: {maxReceiveCount: 3}}\n"
        "  Orders:\n    Type: AWS::DynamoDB::Table\n"
        "    Properties:\n"
        "      KeySchema: [{AttributeName: id, KeyType: HASH}]\n"
        "      StreamSpecification: {StreamViewType: NEW_IMAGE}\n"
        "  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {CodeUri: code, Handler: app.handler, Runtime: python3.11}\n"
    )
    ignored = read_template(write(tmp_path, text)).ignored
    assert [(each.name, each.whose, each.line) for each in ignored] == [
        ("RedrivePolicy", " of Jobs", 4),
        ("StreamSpecification", " of Orders", 9),
    ]
