"""The state machine that runs a fleet on Step Functions: one map over the plan's items.

The same definition runs on AWS and on an interpreter. `${Partition}` and `${Worker}` are what a
template fills in.
"""

from __future__ import annotations

from typing import Any, Final

CONCURRENCY: Final = 8
"""Workers at once: together they hold no more leases than can be restored in a minute, and share
the account's limit of control calls."""
_WORKER_MINUTES: Final = 15
INTERRUPTED: Final = "SweepInterruptedError"
"""What a worker raises when it runs out of time: the next one goes on."""
BUSY: Final = "ItemBusyError"
"""What it raises while an earlier worker may still have the item."""


def definition() -> dict[str, Any]:
    """In the Amazon States Language.

    A failed item stops no other, so the map tolerates all of them, and an execution succeeds
    whatever its items do: `tuner fleet status` says which failed.
    """
    return {
        "Comment": "Sweeps the functions of a tuner fleet",
        "StartAt": "SweepAll",
        "States": {"SweepAll": _map(), "Done": {"Type": "Succeed"}},
    }


def _map() -> dict[str, Any]:
    return {
        "Type": "Map",
        "Label": "Fleet",
        "MaxConcurrency": CONCURRENCY,
        "ToleratedFailurePercentage": 100.0,
        "ItemReader": {
            "Resource": "arn:${Partition}:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.items_key"},
        },
        "ItemSelector": {
            "bucket.$": "$.bucket",
            "prefix.$": "$.prefix",
            "plan.$": "$.plan",
            "concurrency": CONCURRENCY,
            "execution.$": "$$.Execution.Id",
            "item.$": "$$.Map.Item.Value",
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Sweep",
            "States": {"Sweep": _sweep()},
        },
        # What items answer is in the bucket, and doesn't fit a state's 256 KiB.
        "ResultPath": None,
        "Next": "Done",
    }


def _sweep() -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:${Partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": "${Worker}", "Payload.$": "$"},
        "TimeoutSeconds": (_WORKER_MINUTES + 1) * 60,
        "Retry": [
            {
                # It ran out of time, or died: the next worker undoes what is left, and goes on.
                "ErrorEquals": [
                    INTERRUPTED,
                    "Lambda.Unknown",
                    "Sandbox.Timedout",
                    "Runtime.ExitError",
                ],
                "IntervalSeconds": 5,
                "MaxAttempts": 5,
                "BackoffRate": 1.0,
            },
            {
                "ErrorEquals": [BUSY],
                "IntervalSeconds": 60,
                "MaxAttempts": _WORKER_MINUTES + 1,
                "BackoffRate": 1.0,
            },
            {
                "ErrorEquals": [
                    "Lambda.ServiceException",
                    "Lambda.AWSLambdaException",
                    "Lambda.SdkClientException",
                    "Lambda.TooManyRequestsException",
                ],
                "IntervalSeconds": 2,
                "MaxAttempts": 6,
                "BackoffRate": 2.0,
            },
        ],
        "End": True,
    }
