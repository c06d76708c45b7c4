"""Where a function is cheaper at a request rate, and above which rate.

Read `platform_comparison` first: it takes what an invocation needs (`work`: the curve's waiting and
CPU time separated) and the `terms`, and returns the `answer`. `traffic` says how many requests come
and how they are spread (`request_rate` parses a rate as people write it). `platforms` lists what
can be priced in a region (`offers`: tasks and instances), `fleet` follows the load, counts and
prices its units and finds crossings, `lambda_bill` prices Lambda's own month, and `cost_model`
compares them over all draws. `platform_verdict` decides and finds the deciding assumption, and
`platform_findings` lists the reasons for leaving and for staying.

How events come to the function is a question of its own: `pathways` prices every way at a rate,
`pathway_traits` has what is documented or measured of each, and `pathway_findings` compares them.
"""
