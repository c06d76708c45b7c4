"""Infrastructure templates: a function's settings and the line they stand on."""
