"""What Lambda's logs say: REPORT lines, and archives of them in every form.

Read `report` first: a REPORT line, as text or JSON, parsed and written. `archive` reads files and
folders: `files` finds and unpacks them, `lines` removes what precedes a message (`times`),
`records` unwraps messages in JSON and tables, and `messages` passes what a message says to a
`collector`. What lines weigh is read by `log_sizes`, in a pass of its own: `log_message` tells
whose each is.
"""

from tuner.logs.report import format_report, format_report_json, parse_report, parse_reports

__all__ = ["format_report", "format_report_json", "parse_report", "parse_reports"]
