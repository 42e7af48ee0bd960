"""Rules of the gallery; views only translate."""
