"""Shows an answer as text, JSON or Markdown: values in, text out; computes nothing."""
