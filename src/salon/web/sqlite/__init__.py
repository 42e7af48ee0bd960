"""The database of a laptop: Django's SQLite, which also opens where nothing can be written."""
