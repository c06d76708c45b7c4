"""Plans a sweep, runs it, and keeps its file."""
