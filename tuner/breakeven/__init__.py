"""Where a function is cheaper at a rate of requests, and from which rate on.

Read `platform_comparison` first: it takes what an invocation needs (`work`: waiting and CPU time
parted from the curve) and the `terms`, and returns the `answer`. `traffic` says how many requests
come and how they are spread (`request_rate` reads a rate as a person writes it), and `autoscaling`
how a fleet follows them. `platforms` lists what can be priced in a region (`offers`: tasks and
instances), `fleet` counts and prices its units and finds crossings, `lambda_bill` prices Lambda's
own month, and `cost_model` holds them against each other over all draws. `platform_verdict` decides
and finds the assumption that does, and `platform_findings` says what speaks for leaving and for
staying.
"""
