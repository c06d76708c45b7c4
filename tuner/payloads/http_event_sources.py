"""Events from the four ways that HTTP reaches a function."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tuner.payloads.envelope import EnvelopeInput

ACCOUNT: Final = "123456789012"
"""The account in AWS's own examples: a made event never names a real one."""
REGION: Final = "us-east-1"
_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"


def md5(text: str) -> str:
    """The checksum that services put next to a body."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def rest_api(given: EnvelopeInput) -> dict[str, Any]:
    """API Gateway, REST API (payload format 1.0)."""
    method, path = given.parameters["method"], given.parameters["path"]
    headers = _headers(given, f"api.execute-api.{REGION}.amazonaws.com")
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [each] for name, each in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "a1b2c3d4e5",
            "domainName": headers["host"],
            "domainPrefix": "api",
            "extendedRequestId": given.draw.code(16),
            "httpMethod": method,
            "identity": {"sourceIp": _address(given), "userAgent": _AGENT},
            "path": f"/prod{path}",
            "protocol": "HTTP/1.1",
            "requestId": given.draw.uuid(),
            "requestTime": given.draw.time(given.index).strftime("%d/Jan/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": given.draw_epoch_ms(),
            "resourceId": "abc123",
            "resourcePath": path,
            "stage": "prod",
        },
        "body": given.bodies[0],
        "isBase64Encoded": False,
    }


def http_api(given: EnvelopeInput) -> dict[str, Any]:
    """API Gateway, HTTP API (payload format 2.0)."""
    domain = f"a1b2c3d4e5.execute-api.{REGION}.amazonaws.com"
    route = "{method} {path}".format_map(given.parameters)
    return _format_2(given, domain=domain, route=route)


def function_url(given: EnvelopeInput) -> dict[str, Any]:
    """A function URL (payload format 2.0)."""
    return _format_2(given, domain=f"u1b2c3d4e5.lambda-url.{REGION}.on.aws", route="$default")


def load_balancer(given: EnvelopeInput) -> dict[str, Any]:
    """An Application Load Balancer's target."""
    group = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/orders/50dc6c495c0c9188"
    return {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": given.parameters["method"],
        "path": given.parameters["path"],
        "queryStringParameters": {},
        "headers": _headers(given, f"orders-1.{REGION}.elb.amazonaws.com"),
        "body": given.bodies[0],
        "isBase64Encoded": False,
    }


def _format_2(given: EnvelopeInput, *, domain: str, route: str) -> dict[str, Any]:
    method, path = given.parameters["method"], given.parameters["path"]
    address = _address(given)
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": _headers(given, domain),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": domain.partition(".")[0],
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": address,
                "userAgent": _AGENT,
            },
            "requestId": given.draw.uuid(),
            "routeKey": route,
            "stage": "$default",
            "time": given.draw.time(given.index).strftime("%d/Jan/%Y:%H:%M:%S +0000"),
            "timeEpoch": given.draw_epoch_ms(),
        },
        "body": given.bodies[0],
        "isBase64Encoded": False,
    }


def _headers(given: EnvelopeInput, host: str) -> dict[str, str]:
    return {
        "accept": "application/json",
        "content-length": str(len(given.bodies[0].encode())),
        "content-type": "application/json",
        "host": host,
        "user-agent": _AGENT,
        "x-amzn-trace-id": f"Root=1-{given.draw_epoch_ms() // 1000:08x}-{given.draw.uuid()[9:13]}",
        "x-forwarded-for": _address(given),
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }


def _address(given: EnvelopeInput) -> str:
    """An address from the block reserved for documentation (RFC 5737)."""
    return f"203.0.113.{given.draw.integer(1, 254)}"
