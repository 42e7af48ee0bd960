"""A database for the rules of the web."""

import pytest


@pytest.fixture
def first_event(transactional_db):
    """Tests that commit empty the tables, the row made by the migration included: put it back."""
    from salon.web.events.models import Event

    return Event.objects.get_or_create(slug="salon", defaults={"name": "Latent Salon", "current": True})[0]
