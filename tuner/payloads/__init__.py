"""Reads the events that are sent to the function."""
