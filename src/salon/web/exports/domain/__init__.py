"""Rules of what leaves the house; views only translate."""
