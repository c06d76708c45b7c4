"""Many functions under one budget: a plan, a durable queue, and the loop that works it off.

In comes a `FleetPlan` (`tuner.model.fleet`), out come a sweep file for each function and a status.
Nothing here knows AWS: the loop is handed what sweeps one function. Read `queue` first (what is on
the disk), then `loop`. `settings` reads the user's file, `planning` chooses and orders functions,
and `folder` is the fleet's folder with its plan and its audit log.

Where workers on Step Functions do it, `state_machine` is what runs them, and `remote` what they and
the folder exchange through a bucket (`ObjectStore`, `Executions`).
"""
