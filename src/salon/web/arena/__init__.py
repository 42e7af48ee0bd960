"""The arena: two pictures of the same words by unknown hands; a visitor says which is better."""
