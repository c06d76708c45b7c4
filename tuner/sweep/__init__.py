"""Plans a sweep of a function's memory sizes and runs it: read `plan`, then `run`, then `loop`.

`plan` makes a `SweepPlan` from a request and what is known about the function (with `sizes`,
`estimate`, `limits`; `earlier` for an earlier sweep). `run` carries out what is `prepared`: it
takes the lease, and `loop` asks the policy, publishes and invokes (`sending`). What comes back is
judged (`judge`, `outcome`), watched (`guard`, `host_speed`) and recorded (`recording`, `findings`)
in a file (`file`, `writing`) in the `store`. `io` has everything it talks to.
"""
