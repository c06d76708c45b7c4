"""Loads: arrivals, what is sent, and what it adds up to."""
