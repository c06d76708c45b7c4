"""Alarms as a CloudFormation template, in YAML with comments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tuner.report import alarm_parts as parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.alarm import Alarm, FunctionAlarms, Metric


def render_cloudformation(functions: Sequence[FunctionAlarms]) -> str:
    """The template. Names of functions and queues are quoted as JSON strings, which YAML takes."""
    taken: set[str] = set()
    amount = parts.budget_usd(functions)
    lines = [
        *parts.head_comment(functions),
        'AWSTemplateFormatVersion: "2010-09-09"',
        "Description: Alarms on Lambda functions that run away, with thresholds from their history",
        *_parameters(amount),
        "Resources:",
    ]
    for each in functions:
        lines += _function(each, taken)
    if amount is not None:
        lines += _budget(functions)
    return "\n".join(lines) + "\n"


def _parameters(amount: int | None) -> list[str]:
    lines = ["Parameters:"]
    lines += _parameter(
        "AlarmTopicArn", "SNS topic that the composite alarms tell; empty: nobody", ""
    )
    conditions = ["Conditions:", '  HasTopic: !Not [!Equals [!Ref AlarmTopicArn, ""]]']
    if amount is not None:
        for name, what, default in (
            ("CostTag", "Cost allocation tag that these functions have, user:KEY$VALUE", ""),
            ("MonthlyBudgetUsd", "What they may cost a month", str(amount)),
            ("BudgetEmail", "Who is told of the budget, and asked to approve its action", ""),
            ("BudgetActionRoleArn", "Role by which Budgets attaches the policy; empty: never", ""),
            ("FunctionRoleNames", "Roles of the functions, with commas", ""),
        ):
            lines += _parameter(name, what, default)
        conditions += [
            "  HasBudget: !And",
            '    - !Not [!Equals [!Ref CostTag, ""]]',
            '    - !Not [!Equals [!Ref BudgetEmail, ""]]',
            "  HasBudgetAction: !And",
            "    - !Condition HasBudget",
            '    - !Not [!Equals [!Ref BudgetActionRoleArn, ""]]',
            '    - !Not [!Equals [!Ref FunctionRoleNames, ""]]',
        ]
    return [*lines, *conditions]


def _parameter(name: str, what: str, default: str) -> list[str]:
    return [
        f"  {name}:",
        f"    Type: {'Number' if default else 'String'}",
        f"    Description: {json.dumps(what)}",
        f"    Default: {default or json.dumps('')}",
    ]


def _function(found: FunctionAlarms, taken: set[str]) -> list[str]:
    lines, ids = [], []
    for each in found.alarms:
        logical = parts.identifier(each.name, taken)
        lines += ["", *parts.alarm_comment(each, "  ")]
        if each.band_deviations is not None:
            lines += _detector(each, f"{logical}Detector")
        lines += _alarm(each, logical)
        ids.append(logical)
    lines += ["", *parts.comment("The one that tells: any of the above.", "  ")]
    if found.composite is not None:
        lines += parts.comment(f"Replay: {parts.told_of(found.composite)}.", "  ")
    lines += [
        f"  {parts.identifier(parts.composite_name(found.function), taken)}:",
        "    Type: AWS::CloudWatch::CompositeAlarm",
        "    DependsOn:",
        *(f"      - {each}" for each in ids),
        "    Properties:",
        f"      AlarmName: {json.dumps(parts.composite_name(found.function))}",
        f"      AlarmDescription: {json.dumps(f'{found.function} runs away')}",
        f"      AlarmRule: {_quoted(parts.composite_rule(found))}",
        '      AlarmActions: !If [HasTopic, [!Ref AlarmTopicArn], !Ref "AWS::NoValue"]',
    ]
    return lines


def _quoted(text: str) -> str:
    """In single quotes, as text that has double ones is read best."""
    return "'" + text.replace("'", "''") + "'"


def _alarm(alarm: Alarm, logical: str) -> list[str]:
    lines = [
        f"  {logical}:",
        "    Type: AWS::CloudWatch::Alarm",
        "    Properties:",
        f"      AlarmName: {json.dumps(alarm.name)}",
        f"      AlarmDescription: {json.dumps(f'{alarm.function}: {alarm.says}')}",
        f"      EvaluationPeriods: {alarm.evaluation_periods}",
        f"      DatapointsToAlarm: {alarm.datapoints_to_alarm}",
        f"      TreatMissingData: {alarm.missing}",
    ]
    if alarm.band_deviations is not None:
        lines += [
            "      ComparisonOperator: GreaterThanUpperThreshold",
            f"      ThresholdMetricId: {parts.BAND}",
        ]
    else:
        lines += [
            f"      ComparisonOperator: {alarm.comparison}",
            f"      Threshold: {parts.number(alarm.threshold)}",
        ]
    if queries := parts.queries(alarm):
        told = [line for each in queries for line in _query(each, alarm.period_s)]
        return [*lines, "      Metrics:", *told]
    return [
        *lines,
        f"      Namespace: {alarm.metric.namespace}",
        f"      MetricName: {alarm.metric.name}",
        f"      Statistic: {alarm.metric.statistic}",
        f"      Period: {alarm.period_s}",
        "      Dimensions:",
        *_dimension(alarm.metric, "        "),
    ]


def _dimension(metric: Metric, indent: str) -> list[str]:
    name, value = metric.dimension
    return [f"{indent}- Name: {name}", f"{indent}  Value: {json.dumps(value)}"]


def _query(query: parts.Query, period_s: int) -> list[str]:
    returned = f"          ReturnData: {'true' if query.is_returned else 'false'}"
    lines = [f"        - Id: {query.identity}"]
    if query.label:
        lines.append(f"          Label: {json.dumps(query.label)}")
    if isinstance(query.source, str):
        return [*lines, f"          Expression: {json.dumps(query.source)}", returned]
    return [
        *lines,
        returned,
        "          MetricStat:",
        f"            Stat: {query.source.statistic}",
        f"            Period: {period_s}",
        "            Metric:",
        f"              Namespace: {query.source.namespace}",
        f"              MetricName: {query.source.name}",
        "              Dimensions:",
        *_dimension(query.source, "                "),
    ]


def _detector(alarm: Alarm, logical: str) -> list[str]:
    return [
        f"  {logical}:",
        "    Type: AWS::CloudWatch::AnomalyDetector",
        "    Properties:",
        "      SingleMetricAnomalyDetector:",
        f"        Namespace: {alarm.metric.namespace}",
        f"        MetricName: {alarm.metric.name}",
        f"        Stat: {alarm.metric.statistic}",
        "        Dimensions:",
        *_dimension(alarm.metric, "          "),
    ]


def _budget(functions: Sequence[FunctionAlarms]) -> list[str]:
    denied = [f"              - {each}" for each in parts.BREAKS_A_LOOP]
    subscriber = ["- SubscriptionType: EMAIL", "  Address: !Ref BudgetEmail"]
    return [
        "",
        *parts.comment(parts.budget_comment(functions), "  "),
        "  Budget:",
        "    Type: AWS::Budgets::Budget",
        "    Condition: HasBudget",
        "    Properties:",
        "      Budget:",
        '        BudgetName: !Sub "${AWS::StackName}-functions"',
        "        BudgetType: COST",
        "        TimeUnit: MONTHLY",
        "        BudgetLimit: {Amount: !Ref MonthlyBudgetUsd, Unit: USD}",
        "        CostFilters:",
        "          TagKeyValue: [!Ref CostTag]",
        "      NotificationsWithSubscribers:",
        "        - Notification:",
        "            NotificationType: ACTUAL",
        "            ComparisonOperator: GREATER_THAN",
        "            Threshold: 100",
        "            ThresholdType: PERCENTAGE",
        "          Subscribers:",
        *(f"            {each}" for each in subscriber),
        "  LoopBreaker:",
        "    Type: AWS::IAM::ManagedPolicy",
        "    Condition: HasBudgetAction",
        "    Properties:",
        "      Description: Denies a function what feeds a loop; attached by a budget's action",
        "      PolicyDocument:",
        '        Version: "2012-10-17"',
        "        Statement:",
        "          - Effect: Deny",
        "            Action:",
        *denied,
        '            Resource: "*"',
        "  BudgetAction:",
        "    Type: AWS::Budgets::BudgetsAction",
        "    Condition: HasBudgetAction",
        "    DependsOn: Budget",
        "    Properties:",
        '      BudgetName: !Sub "${AWS::StackName}-functions"',
        "      NotificationType: ACTUAL",
        "      ActionType: APPLY_IAM_POLICY",
        "      ActionThreshold: {Type: PERCENTAGE, Value: 100}",
        "      ApprovalModel: MANUAL",
        "      ExecutionRoleArn: !Ref BudgetActionRoleArn",
        "      Definition:",
        "        IamActionDefinition:",
        "          PolicyArn: !Ref LoopBreaker",
        '          Roles: !Split [",", !Ref FunctionRoleNames]',
        "      Subscribers:",
        "        - {Type: EMAIL, Address: !Ref BudgetEmail}",
    ]
