"""What a template has polled for its functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.iac import read_template

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters: {Batch: {Type: Number, Default: 25}}
Globals:
  Function: {Runtime: python3.11, Handler: a.b, InlineCode: x, ReservedConcurrentExecutions: 9}
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: orders}}
  Busy: {Type: AWS::SQS::Queue, Properties: {QueueName: busy}}
  Clicks: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 2}}
  Take:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: take
      ReservedConcurrentExecutions: 4
      Events:
        Orders:
          Type: SQS
          Properties:
            Queue: !GetAtt Orders.Arn
            BatchSize: !Ref Batch
            MaximumBatchingWindowInSeconds: 3
            ScalingConfig: {MaximumConcurrency: 6}
        Busy:
          Type: SQS
          Properties: {Queue: !GetAtt Busy.Arn, ProvisionedPollerConfig: {MaximumPollers: 50}}
        Clicks: {Type: Kinesis, Properties: {Stream: !GetAtt Clicks.Arn, ParallelizationFactor: 5}}
        Foreign: {Type: SQS, Properties: {Queue: !ImportValue elsewhere}}
        Off: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, Enabled: false}}
        Rows: {Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn, BatchSize: 5}}
        Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
  Count: {Type: AWS::Serverless::Function, Properties: {}}
  Counted:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !GetAtt Count.Arn}
  Topics:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: arn:aws:kafka:us-east-1:123456789012:cluster/c/1
      FunctionName: !Ref Count
"""


def test_events_and_mappings_are_read_and_others_are_named(tmp_path: Path) -> None:
    """Batches, windows and concurrency as written, by parameters too; SAM's defaults otherwise.
    What is off is left out; what is no queue, or elsewhere, is told in words.
    """
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    template = read_template(tmp_path)
    assert template.reserved_concurrency == {"take": 4, "Count": 9}
    found = {
        (each.source_arn.rpartition(":")[2], each.function): (
            each.batch_size,
            each.window_s,
            each.max_concurrency,
            each.parallelization_factor,
        )
        for each in template.event_mappings
    }
    assert found == {
        ("orders", "take"): (25, 3, 6, 1),
        ("stream/local-Clicks", "take"): (100, 0, None, 5),
        ("busy", "take"): (10, 0, None, 1),
        ("orders", "Count"): (10, 0, None, 1),
    }
    pollers = {each.source_arn.rpartition(":")[2]: each.pollers for each in template.event_mappings}
    assert (pollers["busy"], pollers["stream/local-Clicks"]) == ((2, 50), None)
    assert [(each.function, each.what) for each in template.other_mappings] == [
        ("take", "SQS (event Foreign: only an account knows it)"),
        ("take", "DynamoDB (event Rows)"),
        ("Count", "Amazon MSK (Topics)"),
    ]
