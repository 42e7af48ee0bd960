"""Rules of the arena."""
