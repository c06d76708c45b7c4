"""Lambda's API: its routes, its operations, the functions it keeps, its words for a refusal.

Read `lambda_api` first, where a request goes in and its reply comes out; `tuner.local`'s docstring
describes the other modules.
"""
