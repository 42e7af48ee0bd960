"""Letters to guests: templates, an outbox that a person releases."""
