"""Control of CPU and memory of a process tree: control groups, or stopping and continuing.

Read `choose` first: it finds which works on this host. `control_groups` has the one (its files in
`group_files`); for the other a supervisor watches its `process_tree` (`mac_tree` on macOS).
"""
