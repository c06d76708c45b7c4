"""The documentation: its sources name what is there, and the site is built without a warning."""
