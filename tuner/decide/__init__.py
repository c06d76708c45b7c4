"""Turns a curve and prices into a recommendation with findings."""
