"""Borrow a function for a sweep and give it back unchanged: the part an auditor reads first."""
