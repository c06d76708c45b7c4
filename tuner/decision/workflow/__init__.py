"""Several functions under one target: the sizes of all of them for a latency of the whole.

A `Workflow` (`tuner.model.workflow`: read by `tuner.iac.asl`, or from the user's file by
`settings`) and an analysis of each function's sweep go in, a `WorkflowAnswer` comes out.
Read `answer` first. `function_times` takes single calls' distribution at every size from an
analysis; `executions` samples which states are visited and which invocations are waited for, which
doesn't depend on memory; `latency` puts both together; `search` finds the sizes. `history` says how
the executions of an account went, and `unknowns` what nobody has said. All of it is pure.
"""
