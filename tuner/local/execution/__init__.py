"""Runs deployments in real processes: admission, environments and their pool, limits, logs."""
