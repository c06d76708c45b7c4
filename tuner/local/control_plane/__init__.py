"""Lambda's API: its routes, its operations, the functions it keeps, its words for a refusal.

Read `lambda_api` first, where a request goes in and its reply comes out; the tour of
`tuner.local` tells what the other modules do.
"""
