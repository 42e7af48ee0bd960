"""The Salon des Refusés: what should not have come out, reported at the booth."""
