"""Works off a batch of a queue: checks, prices and signs each order in it."""

import hashlib
import json

SETUP_ROUNDS = 20_000
ROUNDS = {"order": 4_000, "refund": 2_000, "import": 200}


def handler(event, context):
    """Connect once for the batch, then work off its records; malformed ones are reported."""
    records = event.get("Records", [])
    connect()
    failed, lines = [], 0
    for record in records:
        try:
            lines += work_off(json.loads(record["body"]))
        except (KeyError, ValueError):
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed, "lines": lines}


def connect():
    """Do what a batch costs however small it is, as a handshake does."""
    hashlib.pbkdf2_hmac("sha256", b"queue", b"worker", SETUP_ROUNDS)


def work_off(order):
    """Sign every line of an order; return how many there are."""
    rounds = ROUNDS[order["kind"]]
    for line in order["lines"]:
        body = json.dumps(line, sort_keys=True).encode()
        hashlib.pbkdf2_hmac("sha256", body, order["id"].encode(), rounds)
    return len(order["lines"])
