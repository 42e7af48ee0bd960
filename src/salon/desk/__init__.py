"""The supervisor and dispatcher of all processes."""
