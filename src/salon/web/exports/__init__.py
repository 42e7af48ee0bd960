"""What leaves the house as data: tables for organisers, and the event's API for programs."""
