"""HTTP/1.1 on loopback: read, routed, answered, or forwarded. Nothing specific to Lambda.

Read `endpoint` first: it takes each request from the `server`, as a `message`.
"""
