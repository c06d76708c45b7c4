"""What AWS charges, as of a date, and what an invocation costs."""
