"""Rules of the doors: who is let in, once, and what is said to whoever is not."""
