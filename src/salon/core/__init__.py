"""The words everyone shares: Recipe, Request, Update, errors, content hashes."""
