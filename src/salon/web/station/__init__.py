"""The station: a prompt becomes nine images."""
