"""Rules of the register; views only translate."""
