"""Which invocation next, and when to stop: pure, so that benchmarks can replay it."""
