"""Control of CPU and memory for a process tree: control groups, or stopping and continuing.

Read `choose` first: it finds which one works on this host. `control_groups` has the first (its
files in `group_files`); for the second, a supervisor watches its `process_tree` (`mac_tree` on
macOS).
"""
