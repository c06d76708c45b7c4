"""Measures how true the local Lambda is on this machine: `tuner local check`."""
