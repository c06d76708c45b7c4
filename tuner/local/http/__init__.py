"""HTTP/1.1 on loopback: read, sent the right way, answered, or passed on. Nothing of Lambda.

Read `endpoint` first: it takes each request from the `server`, as a `message`.
"""
