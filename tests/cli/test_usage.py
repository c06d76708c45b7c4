"""Values that no option could have: exit code 2 and one line, before anything is asked."""

from __future__ import annotations

import pytest

from tests.cli.running import ROOT, one_line, run_here

SWEEP = "examples/sweeps/mixed.jsonl"
ANSWERED = {"tune": ["tune", "f"], "report": ["report", SWEEP], "break-even": ["break-even", SWEEP]}
COMMENT = ["comment", SWEEP, "--dry-run"]
MAKE = ["payload", "make", "sqs", "--out", "/nonexistent/corpus"]
KINESIS = ["--pathways", "--trigger", "kinesis", "--rate", "1/s"]
RECOVER = ["recover", "--function", "f"]

CALLS = [
    *(
        (command, option, value)
        for command, options in {
            "tune": {
                "--region": ["", "eu west", "../x"],
                "--endpoint-url": ["", "x", "ftp://x", "http://"],
                "--fail-on": ["", "a[", "a ="],
                "--vary": ["x", "=1", "batch_size=", "batch_size=0", "x=1", "x=1,1", "x=1,2"],
                "--payload-size": ["", "huge", "p50=9GB", "p50=1kB", "5kB"],
                "--before": ["", "'x"],
                "--after": ["", "'x"],
                "--budget-usd": ["0", "-1", "nan", "inf", "x"],
                "--max-invocations": ["0", "1", "x"],
                "--concurrency": ["0", "1001"],
                "--leave-concurrency": ["2", "-1%", "x"],
                "--seed": ["-1", "x"],
                "--memory-sizes": ["", "64", "256,128", "128,128", "128;256"],
                "--isolation": ["x"],
                "--parameter": ["x", "=x"],
                "--env": ["x", "=x"],
                "--goal": ["x"],
                "--time-weight": ["-1", "x", "1001"],
                "--cost-slack": ["2%"],
                "--tolerance": ["-1", "nan"],
                "--max-duration": ["5", "0ms", "x"],
                "--percentile": ["0", "100", "x"],
                "--max-cost-per-million": ["0", "inf"],
                "--cold-start-share": ["101%", "nan"],
            },
            "report": {
                "--format": ["x"],
                "--rate": ["0", "5/x", "-1/s", "inf"],
                "--per-month": ["0", "x"],
                "--min-saving-usd-per-month": ["-1", "nan", "inf"],
                "--min-saving-ratio": ["2", "x"],
                "--min-memory": ["127", "x"],
                "--max-memory": ["10241", "0"],
            },
            "break-even": {
                "--days": ["0", "x"],
                "--peak-ratio": ["0.5", "-1", "nan", "inf"],
                "--utilization": ["0", "2"],
                "--container-concurrency": ["0", "-1", "nan"],
                "--arm-speed": ["0", "-1", "inf"],
                "--spot-share": ["2"],
                "--account-gb-seconds": ["-1", "nan", "inf"],
                "--gateway-usd-per-million": ["-1", "inf"],
                "--load-balancer-usd-per-month": ["-1", "inf"],
                "--log-kb-per-request": ["-1", "inf"],
                "--ops-cost-usd": ["-1", "inf"],
                "--migration-cost-usd": ["-1", "nan"],
                "--trigger": ["x"],
            },
        }.items()
        for option, values in options.items()
        for value in values
    )
]


@pytest.mark.parametrize(("command", "option", "value"), CALLS)
def test_a_value_that_an_option_cannot_have_is_wrong_usage(
    command: str, option: str, value: str
) -> None:
    """Also where the value is read by the library and not by the command line."""
    refused([*ANSWERED[command], option, value])


@pytest.mark.parametrize(
    "arguments",
    [
        ["tune", "no function"],
        ["tune", ""],
        ["tune", "arn:aws:lambda:x"],
        [*ANSWERED["report"], "--min-memory", "1024", "--max-memory", "512"],
        [*ANSWERED["break-even"], "--rate", "1/s", "--per-month", "1M"],
        [*ANSWERED["break-even"], "--traffic", "cloudwatch", "--days", "16"],
        ["compare", SWEEP, SWEEP, "--goal", "x"],
        ["compare", SWEEP, SWEEP, "--tolerance", "5"],
        ["compare", SWEEP, SWEEP, "--cold-start-share", "x"],
        ["compare", SWEEP, SWEEP, "--format", "markdown", "--out", "x.md"],
        [*COMMENT, "--forge", "x"],
        [*COMMENT, "--number", "0"],
        [*COMMENT, "--template", "gone.yaml"],
        [*COMMENT, "--parameter", "x"],
        [*COMMENT, "--fail-if-saving-over", "2"],
        ["spend", "--logs", "examples/spend/logs", "--days", "nan"],
        ["sweeps", "--prune", "--older-than", "nan"],
        ["observe", "f", *KINESIS, "--peak-ratio", "nan"],
        ["recover", "--function", "no function"],
        ["recover", "--take-over", "x"],
        [*RECOVER, "--region", "eu west"],
        [*RECOVER, "--endpoint-url", "x"],
        [*MAKE, "--count", "0"],
        [*MAKE, "--seed", "-1"],
        [*MAKE, "--batch-size", "0"],
        [*MAKE, "--batch-size", "99999"],
        [*MAKE, "--payload-size", "huge"],
        [*MAKE, "--payload-size", "5kB"],
        [*MAKE, "--vary", "batch_size=0"],
        ["payload", "show", "{}", "--batch-size", "3"],
        ["payload", "show", "sqs", "--index", "-1"],
        ["payload", "events", "no function"],
        ["payload", "events", "f", "--region", "eu west"],
        ["payload", "events", "f", "--endpoint-url", "x"],
        ["payload", "check", "sqs", "--try", "no function"],
        ["payload", "check", "sqs", "--vary", "x"],
        ["payload", "check", "sqs", "--parameter", "x"],
        ["iam-policy", "no function"],
        ["iam-policy", "f", "--region", "eu west"],
        ["iam-policy", "f", "--region", ""],
        ["iam-policy", "arn:aws:lambda:eu-west-1:123456789012:function:f", "--region", "us-east-1"],
        ["prices", "show", "--region", "eu west"],
        ["prices", "refresh", "--region", ""],
        ["local", "serve", "examples/template.yaml", "--port", "70000"],
        ["local", "serve", "examples/template.yaml", "--region", "eu west"],
        ["local", "serve", "examples/template.yaml", "--region", ""],
        ["local", "serve", "examples/template.yaml", "--parameter", "x"],
        ["local", "serve", "examples/template.yaml", "--env", "=x"],
        ["local", "check", "--control", "x"],
    ],
)
def test_every_command_calls_it_so(arguments: list[str]) -> None:
    """Names of functions and regions, addresses, numbers, and options that exclude each other."""
    refused(arguments)


def refused(arguments: list[str]) -> None:
    ran = run_here(*arguments, cwd=ROOT)
    assert ran.returncode == 2, ran.stderr
    assert "unexpected" not in one_line(ran)
