"""Waits for a slow service, then computes on its answer in one thread."""

import hashlib
import json
import time


def handler(event, context):
    """Wait `wait_ms`, then check and sum up `orders` orders."""
    time.sleep(event.get("wait_ms", 100) / 1000)
    orders = [order(number) for number in range(event.get("orders", 7500))]
    return {"orders": len(orders), "cents": sum(orders)}


def order(number):
    """Return what an order costs, after signing it."""
    body = json.dumps({"number": number, "lines": list(range(number % 20)), "cents": number % 997})
    signature = hashlib.sha256(body.encode()).hexdigest()
    return json.loads(body)["cents"] + int(signature[0], 16) % 2
