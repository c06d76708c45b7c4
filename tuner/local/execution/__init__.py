"""Runs deployments in real processes: admission, environments and their pool, limits, logs.

Read `executor` first. It takes a deployment and a request; they wait for `cores` of the `host`,
unless the `call_chain` shows that a caller here waits for them, and take an `environment` from its
pool, with its folders in the `run_folder` and a process of `runtime` under `cpu`. The result is a
payload and a log (`invocation_outcome`, `invocation_log`).
"""
