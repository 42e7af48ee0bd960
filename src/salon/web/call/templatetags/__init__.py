"""What templates ask of the call."""
