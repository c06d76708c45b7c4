"""The command line: parse, print, exit codes; one module a command."""
