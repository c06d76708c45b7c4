"""One runtime's process tree: which interpreter, its variables, how it starts, is fed and ends.

Light: the warden is imported through here at every cold start.
"""
