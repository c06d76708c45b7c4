"""Alarms as Terraform, with comments, for the AWS provider from 4.0 on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tuner.report import alarm_parts as parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.alarm import Alarm, FunctionAlarms, Metric


def render_terraform(functions: Sequence[FunctionAlarms]) -> str:
    """The file: variables, alarms, and a budget if a cost allocation tag is given."""
    taken: set[str] = set()
    amount = parts.budget_usd(functions)
    lines = [*parts.head_comment(functions), "", *_variables(amount)]
    for each in functions:
        lines += _function(each, taken)
    if amount is not None:
        lines += _budget(functions)
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A string of HCL, which takes what JSON does but for its templates."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


def _variables(amount: int | None) -> list[str]:
    found = _variable(
        "alarm_topic_arn", "SNS topic that the composite alarms tell; empty: nobody", '""'
    )
    if amount is None:
        return found
    for name, what, default in (
        ("cost_tag", "Cost allocation tag that these functions have, user:KEY$VALUE", '""'),
        ("monthly_budget_usd", "What they may cost a month", str(amount)),
        ("budget_email", "Who is told of the budget, and asked to approve its action", '""'),
        ("budget_action_role_arn", "Role by which Budgets attaches the policy; empty: never", '""'),
        ("function_role_names", "Roles of the functions", "[]"),
    ):
        found += _variable(name, what, default)
    has_action = 'var.budget_action_role_arn != "" && length(var.function_role_names) > 0'
    return [
        *found,
        "locals {",
        '  has_budget        = var.cost_tag != "" && var.budget_email != "" ? 1 : 0',
        f"  has_budget_action = local.has_budget == 1 && {has_action} ? 1 : 0",
        "}",
        "",
    ]


def _variable(name: str, what: str, default: str) -> list[str]:
    kind = {'""': "string", "[]": "list(string)"}.get(default, "number")
    return [
        f'variable "{name}" {{',
        f"  description = {_text(what)}",
        f"  type        = {kind}",
        f"  default     = {default}",
        "}",
        "",
    ]


def _function(found: FunctionAlarms, taken: set[str]) -> list[str]:
    lines, labels = [], []
    for each in found.alarms:
        label = parts.label(each.name, taken)
        labels.append(label)
        lines += [*parts.alarm_comment(each)]
        if each.band_deviations is not None:
            lines += parts.comment("CloudWatch makes the anomaly detector with the alarm.")
        lines += [*_alarm(each, label), ""]
    lines += parts.comment("The one that tells: any of the above.")
    if found.composite is not None:
        lines += parts.comment(f"Replay: {parts.told_of(found.composite)}.")
    name = parts.composite_name(found.function)
    return [
        *lines,
        f'resource "aws_cloudwatch_composite_alarm" "{parts.label(name, taken)}" {{',
        f"  alarm_name        = {_text(name)}",
        f"  alarm_description = {_text(f'{found.function} runs away')}",
        f"  alarm_rule        = {_text(parts.composite_rule(found))}",
        '  alarm_actions     = var.alarm_topic_arn == "" ? [] : [var.alarm_topic_arn]',
        "",
        "  depends_on = [",
        *(f"    aws_cloudwatch_metric_alarm.{each}," for each in labels),
        "  ]",
        "}",
        "",
    ]


def _alarm(alarm: Alarm, label: str) -> list[str]:
    lines = [
        f'resource "aws_cloudwatch_metric_alarm" "{label}" {{',
        f"  alarm_name          = {_text(alarm.name)}",
        f"  alarm_description   = {_text(f'{alarm.function}: {alarm.says}')}",
        f"  evaluation_periods  = {alarm.evaluation_periods}",
        f"  datapoints_to_alarm = {alarm.datapoints_to_alarm}",
        f"  treat_missing_data  = {_text(alarm.missing)}",
    ]
    if alarm.band_deviations is not None:
        lines += [
            '  comparison_operator = "GreaterThanUpperThreshold"',
            f"  threshold_metric_id = {_text(parts.BAND)}",
        ]
    else:
        lines += [
            f"  comparison_operator = {_text(alarm.comparison)}",
            f"  threshold           = {parts.number(alarm.threshold)}",
        ]
    if queries := parts.queries(alarm):
        return [*lines, *(line for each in queries for line in _query(each, alarm.period_s)), "}"]
    return [
        *lines,
        f"  namespace           = {_text(alarm.metric.namespace)}",
        f"  metric_name         = {_text(alarm.metric.name)}",
        f"  statistic           = {_text(alarm.metric.statistic)}",
        f"  period              = {alarm.period_s}",
        f"  dimensions          = {_dimensions(alarm.metric)}",
        "}",
    ]


def _dimensions(metric: Metric) -> str:
    name, value = metric.dimension
    return f"{{ {name} = {_text(value)} }}"


def _query(query: parts.Query, period_s: int) -> list[str]:
    returned = f"    return_data = {'true' if query.is_returned else 'false'}"
    lines = ["", "  metric_query {", f"    id          = {_text(query.identity)}"]
    if query.label:
        lines.append(f"    label       = {_text(query.label)}")
    if isinstance(query.source, str):
        return [*lines, f"    expression  = {_text(query.source)}", returned, "  }"]
    return [
        *lines,
        returned,
        "",
        "    metric {",
        f"      namespace   = {_text(query.source.namespace)}",
        f"      metric_name = {_text(query.source.name)}",
        f"      stat        = {_text(query.source.statistic)}",
        f"      period      = {period_s}",
        f"      dimensions  = {_dimensions(query.source)}",
        "    }",
        "  }",
    ]


def _budget(functions: Sequence[FunctionAlarms]) -> list[str]:
    denied = ", ".join(_text(each) for each in parts.BREAKS_A_LOOP)
    name = _text(f"{functions[0].function}-runs-away")
    return [
        *parts.comment(parts.budget_comment(functions)),
        'resource "aws_budgets_budget" "functions" {',
        "  count        = local.has_budget",
        f"  name         = {name}",
        '  budget_type  = "COST"',
        '  time_unit    = "MONTHLY"',
        "  limit_amount = tostring(var.monthly_budget_usd)",
        '  limit_unit   = "USD"',
        "",
        "  cost_filter {",
        '    name   = "TagKeyValue"',
        "    values = [var.cost_tag]",
        "  }",
        "",
        "  notification {",
        '    notification_type          = "ACTUAL"',
        '    comparison_operator        = "GREATER_THAN"',
        "    threshold                  = 100",
        '    threshold_type             = "PERCENTAGE"',
        "    subscriber_email_addresses = [var.budget_email]",
        "  }",
        "}",
        "",
        'resource "aws_iam_policy" "loop_breaker" {',
        "  count       = local.has_budget_action",
        f"  name_prefix = {_text('loop-breaker-')}",
        '  description = "Denies a function what feeds a loop; attached by a budget\'s action"',
        "  policy = jsonencode({",
        '    Version = "2012-10-17"',
        f'    Statement = [{{ Effect = "Deny", Action = [{denied}], Resource = "*" }}]',
        "  })",
        "}",
        "",
        'resource "aws_budgets_budget_action" "break_the_loop" {',
        "  count              = local.has_budget_action",
        "  budget_name        = aws_budgets_budget.functions[0].name",
        '  action_type        = "APPLY_IAM_POLICY"',
        '  approval_model     = "MANUAL"',
        '  notification_type  = "ACTUAL"',
        "  execution_role_arn = var.budget_action_role_arn",
        "",
        "  action_threshold {",
        '    action_threshold_type  = "PERCENTAGE"',
        "    action_threshold_value = 100",
        "  }",
        "",
        "  definition {",
        "    iam_action_definition {",
        "      policy_arn = aws_iam_policy.loop_breaker[0].arn",
        "      roles      = var.function_role_names",
        "    }",
        "  }",
        "",
        "  subscriber {",
        "    address           = var.budget_email",
        '    subscription_type = "EMAIL"',
        "  }",
        "}",
    ]
