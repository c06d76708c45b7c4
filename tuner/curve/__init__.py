"""Fits duration over memory, with its uncertainty."""
