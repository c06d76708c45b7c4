"""Turns a sweep and prices into an analysis, and that into a recommendation with findings.

Read `analysis` first. `analyse` reads the evidence (`evidence`), estimates duration and cost at
every candidate size (`candidates`, `estimates`), bars what fails or breaks a limit (`constraints`),
ranks the sizes under the goal (`ranking`; all of that is a `problem`), weighs a move away from the
current size (`move`), and gives the answer or says what more it needs (`verdict`). `recommend` (in
`recommendation`) reports it, with what else was seen (`findings`, `diagnostics`). An earlier sweep
comes in through `prior`, and `prior_use` says how much it counted. `compare` compares two sweeps.
`policy` chooses the invocations with the same problem. All of it is pure: the same sweep and seed
give the same answer.
"""
