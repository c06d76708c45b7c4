"""Control of CPU and memory of a process tree: control groups, or stopping and continuing."""
