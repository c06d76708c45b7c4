"""The compositions that the command line and notebooks call, each one screen."""
