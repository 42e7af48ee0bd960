"""Tickets, doors, and who has come in."""
