"""Sends a function requests at given rates, and says what answering them took.

An open arrival process: `phases` (or an `artillery` script) give rates, and the moments at which
requests are due, whatever the function does meanwhile. `plan` says before anything is sent what
that needs and costs; `run` sends, under a `guard`, and times each answer from the moment when its
request was due. `result` adds them up. Read `run` first, then `phases`.

What is around the function: `resources` with their settings, what these let through in a second and
what gives way first at which rate (`limits`); a `watch` looks at them while the load runs.
`event_source` is the arithmetic of SQS and Kinesis sources, `upstream` what it means for the
function; `findings` says the rest.
"""
