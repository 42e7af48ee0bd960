"""Rules of the jury; views only translate."""
