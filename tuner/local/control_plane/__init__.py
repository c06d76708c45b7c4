"""Lambda's API: its routes, its operations, the functions it keeps, its words for a refusal."""
