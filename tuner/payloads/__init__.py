"""Makes the events that are sent to the function: what `--payload` means, as payload classes.

Read `load` first: it takes what is asked for apart, with a `payload_set` for many, and `vary` makes
several of a class. `payload_class` makes one from its recipe: its events come from an
`event_stream` (recorded in a folder), a `jinja_template` (rendered by the `template_worker` in its
`template_sandbox`) or a `schema`, inside the `envelope` of one of the `event_sources` where asked.
All draws are seeded (`sampling`); every `body` is checked; `corpus` writes events to files.
"""

from tuner.payloads.load import asks_for_test_events, load_payloads

__all__ = ["asks_for_test_events", "load_payloads"]
