"""The services beside Lambda: moto in a process of its own, and what starts and feeds it."""
