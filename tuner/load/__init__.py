"""Sends a function requests at given rates, and says what answering them took.

An open arrival process: `phases` (or an `artillery` script) give rates, `arrivals` the moments at
which requests are due, whatever the function does meanwhile. `plan` says before anything is sent
what that needs and costs; `run` sends, under a `guard`, and times each answer from the moment when
its request was due. `result` adds them up. Read `run` first, then `arrivals`.
"""
