"""Reads the events that are sent to the function."""

from tuner.payloads.load import load_payloads

__all__ = ["load_payloads"]
