"""Plans a sweep of a function's memory sizes and runs it: read `plan`, then `run`, then `loop`.

`plan` makes a `SweepPlan` of a request and what is known of the function (`sizes`, `estimate`,
`limits`; `resuming` where an earlier sweep is gone on from). What is `prepared` is run by `run`: it
takes the lease, and `loop` asks the policy, publishes and invokes (`sending`). What comes back is
judged (`judge`, `outcome`), watched (`guard`) and recorded (`recording`, `findings`) in a file
(`file`, `writing`) of the `store`. All that it talks to is in `io`.
"""
