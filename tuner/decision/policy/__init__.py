"""Which invocation next, and when to stop: pure, so that benchmarks can replay it.

Read `policy` first: a `Policy` is told every invocation that was made and returns the `Trial`s to
start now. `adaptive` spends each where it changes the decision: it begins with the
`initial_design`, and asks the `value_of_information` what one more would be worth, until the answer
stands. `stratified` does so over sizes and values of a varied parameter. `fixed` runs every size
equally often.
"""
