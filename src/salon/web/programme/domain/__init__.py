"""Rules of the programme."""
