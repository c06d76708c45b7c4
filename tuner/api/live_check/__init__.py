"""`tuner live-check`: what the tool assumes of Lambda, beside what a place shows.

Read `check` first: it opens the place and puts the steps together. `reading` is the first step and
changes nothing. The second makes a function of its own from `function` and probes it:
`control_plane` updates and publishes, `handlers` runs its code, `sweeps` measures it and kills a
sweep (`killed_sweep`); all put down what they find in a `probing`. `file` writes and reads a check
without what is the account's (`redaction`), and `comparison` puts two side by side.
"""
