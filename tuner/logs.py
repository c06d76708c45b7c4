"""REPORT lines, text and JSON: parse and format, pure, round trip."""
