"""Reads the events that are sent to the function."""

from tuner.payloads.load import load_payloads
from tuner.payloads.named import asks_for_test_events

__all__ = ["asks_for_test_events", "load_payloads"]
