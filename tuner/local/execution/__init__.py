"""Runs deployments in real processes: admission, environments and their pool, limits, logs.

Read `executor` first. A deployment and a request go in; they wait for `cores` of the `host`, unless
the `call_chain` says that a caller here waits for them, and take an `environment` of the `pool`,
with its folders in the `run_folder` and a process of `runtime` under `cpu`. Out come a payload and
a log (`invocation_outcome`, `invocation_log`).
"""
