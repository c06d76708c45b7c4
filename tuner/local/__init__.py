"""A Lambda-compatible endpoint on loopback that runs real handlers under real limits.

`serve.LocalLambda` puts the parts together; this is what an Invoke meets, in order.

`http/` takes the connection. Its server reads one request at a time, and `http.endpoint` sends it
one of three ways: Lambda's paths to the control plane, `/_tuner/` to `serve` itself, and everything
else through `http.proxy` to the neighbours. What a web page could send is refused here.

`control_plane/` is Lambda's API. `api` finds the operation in the table of `routes` and runs it
with a `call`. The operations are in `functions`, `aliases`, `layers`, `governance`, `event_config`
and `invoke`; all of them change or ask one `store`, by the rules that Lambda has for versions,
revisions and updates in progress. For an Invoke, the store says which `Deployment` is meant: one
version's code and settings. `recursion` stops circles, and `events` runs what nobody waits for.

`deployment.py` is the seam: a deployment and a request go in, a payload and a log come out.
Whoever does that is an `Executor`. `scripted` answers after a given time, for tests of what calls
Lambda.

`execution/` is the real one. The invocation waits for its share of the host's cores, gets an idle
execution environment or a new one, and the event is handed to a runtime in processes of its own:
AWS's client for Python, ours for Node.js, or the function's own bootstrap (`execution/runtime`),
which gets CPU and memory as Lambda would give them.
What it wrote and took becomes the log, its REPORT line and the answer, which goes back the same
way.

`neighbours/` is S3, SQS, DynamoDB, CloudWatch Logs and the rest, in one more process, so that they
take no time from what is measured. Handlers' clients reach them through the same port.

Around that: a `definition` says what to deploy at the start, `deployer` puts it into the store,
`retirement` ends environments whose version was changed, `private_folder` holds code and sockets,
and `process` runs the whole in a child process (`python -m tuner.local`) that ends with its parent.
`check/` measures how true all that is on this machine, and `supported` says where it runs at all.
"""
