"""The SAM template of a fleet's workers: state machine, worker, bucket, and their least roles.

Every action of a policy stands with its reason: `_WHY` has those of a sweep.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.iam_policy import least_fleet_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WHY: Final[Mapping[str, str]] = {
    "cloudwatch:GetMetricStatistics": "how long it runs in production, and whether it's called",
    "iam:PassRole": "a copy runs with its function's role",
    "lambda:CreateFunction": "a copy to measure, instead of the function",
    "lambda:DeleteFunction": "remove the copies, or the versions, that it made",
    "lambda:GetAccountSettings": "how many invocations the account may run at once",
    "lambda:GetFunction": "what the function is, before and after",
    "lambda:GetFunctionConcurrency": "how many of them are the function's own",
    "lambda:GetFunctionEventInvokeConfig": "where failed events go: a side effect",
    "lambda:GetFunctionUrlConfig": "whether a URL reaches the function itself",
    "lambda:GetPolicy": "who else may call the function itself",
    "lambda:InvokeFunction": "run it at each size",
    "lambda:ListAliases": "which versions are in use: they're never deleted",
    "lambda:ListEventSourceMappings": "which queues and streams it reads",
    "lambda:ListFunctions": "copies whose sweep was killed",
    "lambda:ListTags": "whether another sweep has the function",
    "lambda:ListVersionsByFunction": "which versions there were before: they're never deleted",
    "lambda:PublishVersion": "a version of each size, so that callers keep theirs",
    "lambda:TagResource": "mark it as being swept, for whoever looks at it",
    "lambda:UntagResource": "take the mark away",
    "lambda:UpdateFunctionConfiguration": "set a size before it's published, and set it back",
    "logs:DeleteLogGroup": "the logs of a deleted copy",
    "logs:FilterLogEvents": "REPORT lines that an invocation's reply cuts off",
    "schemas:DescribeSchema": "shareable test events, as payloads",
    "sts:AssumeRole": "functions of other accounts",
}
_NOT_OF_WORKERS: Final = {
    "OptionalExchangeWithItsWorkers",
    "OptionalFindFunctionsByTag",
    "OptionalListAccounts",
    "OptionalListFunctionsAndDurations",
    "OptionalListTestEvents",
    "OptionalReachOtherAccounts",
    "OptionalRunOnStepFunctions",
}
"""Planning is done elsewhere, and roles are named one by one."""


def fleet_template(
    *, fleet_id: str, regions: Iterable[str], role_arns: Iterable[str], has_own_account: bool
) -> str:
    """The template as YAML.

    `role_arns` are what workers may assume; without `has_own_account` all functions are reached by
    these, and workers may do nothing to their own account's.
    """
    named = sorted(set(regions))
    statements = []
    if has_own_account:
        policy = least_fleet_policy(region=named[0] if len(named) == 1 else "*")
        statements = [each for each in policy["Statement"] if each["Sid"] not in _NOT_OF_WORKERS]
    if roles := sorted(set(role_arns)):
        statements.append({"Action": "sts:AssumeRole", "Resource": roles})
    return _TEMPLATE.replace("@FLEET@", fleet_id).replace(
        "@SWEEPING@", "".join(map(_statement, statements)).rstrip()
    )


def _statement(each: dict[str, Any]) -> str:
    """A statement as YAML, each action with its reason."""
    lines = [f"- Sid: {each['Sid']}"] if "Sid" in each else ["- Sid: ReachOtherAccounts"]
    lines += ["  Effect: Allow", "  Action:"]
    lines += [f"    - {action} # {_WHY[action]}" for action in _listed(each["Action"])]
    lines.append("  Resource:")
    lines += [f"    - {_resource(arn)}" for arn in _listed(each["Resource"])]
    if "Condition" in each:
        lines.append(f"  Condition: {json.dumps(each['Condition'])}")
    return "".join(f"{' ' * 14}{line}\n" for line in lines).lstrip(" ") + " " * 14


def _resource(arn: str) -> str:
    """Of this account and partition; the functions whose names the parameter allows."""
    if arn == "*":
        return '"*" # IAM has no narrower resource for it'
    parts = arn.split(":")
    if parts[2] == "iam" and parts[4] != "*":
        return json.dumps(arn)
    parts[1] = "${AWS::Partition}"
    parts[4] = "${AWS::AccountId}"
    if parts[5:7] == ["function", "*"]:
        parts[6] = "${FunctionNames}"
    return f"!Sub {json.dumps(':'.join(parts))}"


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


_TEMPLATE: Final = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: Sweeps the functions of tuner's fleet @FLEET@ on Step Functions

Parameters:
  FunctionNames:
    Type: String
    Default: "*"
    Description: Pattern of the functions that workers may sweep, such as shop-*
  LogRetentionInDays:
    Type: Number
    Default: 30

Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain # it has the sweeps, and what is needed to undo an interrupted one
    UpdateReplacePolicy: Retain
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault:
              SSEAlgorithm: AES256
      OwnershipControls:
        Rules:
          - ObjectOwnership: BucketOwnerEnforced
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        BlockPublicPolicy: true
        IgnorePublicAcls: true
        RestrictPublicBuckets: true

  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: EncryptedConnectionsOnly
            Effect: Deny
            Principal: "*"
            Action: s3:* # nothing without TLS
            Resource:
              - !Sub "${Bucket.Arn}"
              - !Sub "${Bucket.Arn}/*"
            Condition: {"Bool": {"aws:SecureTransport": "false"}}

  WorkerLog:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      RetentionInDays: !Ref LogRetentionInDays

  Worker:
    Type: AWS::Serverless::Function
    Metadata:
      Dockerfile: Dockerfile
      DockerContext: .
      DockerTag: worker
    Properties:
      PackageType: Image
      Role: !GetAtt WorkerRole.Arn
      MemorySize: 1769 # one vCPU
      Timeout: 900
      LoggingConfig:
        LogGroup: !Ref WorkerLog

  WorkerRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {"Service": "lambda.amazonaws.com"}
            Action: sts:AssumeRole # Lambda runs the worker with it
      Policies:
        - PolicyName: log
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action:
                  - logs:CreateLogStream # one for each environment
                  - logs:PutLogEvents # what the worker says
                Resource: !GetAtt WorkerLog.Arn
        - PolicyName: results
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action:
                  - s3:GetObject # payloads, results, and what an interrupted worker left
                  - s3:PutObject # results, sweeps, and what the next worker needs
                  - s3:DeleteObject # journals of functions that are restored
                Resource: !Sub "${Bucket.Arn}/fleets/*"
              - Effect: Allow
                Action: s3:ListBucket # what an interrupted worker left; tells absent from denied
                Resource: !GetAtt Bucket.Arn
        - PolicyName: sweep
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              @SWEEPING@

  StateMachine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: !Sub "${AWS::StackName}"
      Type: STANDARD
      DefinitionUri: state_machine.asl.json
      DefinitionSubstitutions:
        Partition: !Ref AWS::Partition
        Worker: !GetAtt Worker.Arn
      Role: !GetAtt StateMachineRole.Arn

  StateMachineRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {"Service": "states.amazonaws.com"}
            Action: sts:AssumeRole # Step Functions runs the state machine with it
      Policies:
        - PolicyName: map
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: lambda:InvokeFunction # a worker for each item
                Resource: !GetAtt Worker.Arn
              - Effect: Allow
                Action: s3:GetObject # the plan's items
                Resource: !Sub "${Bucket.Arn}/fleets/*/items.json"
              - Effect: Allow
                Action: states:StartExecution # the map starts a child for each item
                Resource: !Sub "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:\
stateMachine:${AWS::StackName}"
              - Effect: Allow
                Action:
                  - states:DescribeExecution # the map follows its children
                  - states:StopExecution # and stops them when it's stopped
                  - states:RedriveExecution # and runs again those that failed
                Resource: !Sub "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:\
execution:${AWS::StackName}/*"

Outputs:
  BucketName:
    Description: The bucket to name to tuner fleet run
    Value: !Ref Bucket
  StateMachineArn:
    Description: The state machine to name to tuner fleet run
    Value: !Ref StateMachine
"""
