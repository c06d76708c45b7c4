"""Makes the events that are sent to the function: what `--payload` means, as payload classes.

Read `load` first: it parses the specs, with `payload_set` for files of several classes and `vary`
for a class with several values. `payload_class` makes a class from its recipe: its events come from
an `event_stream` (recorded in a folder), a `jinja_template` (rendered by the `template_worker` in
its `template_sandbox`) or a `schema`, inside the `envelope` of one of the `event_sources` if asked.
All draws are seeded (`sampling`); every `body` is checked; `corpus` writes events to files.
"""

from tuner.payloads.load import asks_for_test_events, load_payloads

__all__ = ["asks_for_test_events", "load_payloads"]
