"""Reads the events that are sent to the function."""

from tuner.payloads.load import asks_for_test_events, load_payloads

__all__ = ["asks_for_test_events", "load_payloads"]
