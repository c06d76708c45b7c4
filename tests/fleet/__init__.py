"""Tests of tuner.fleet, and of the fleet as a whole on a scripted endpoint."""
