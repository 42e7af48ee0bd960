"""Rules of limited things: who may have one, who waits, what is left."""
