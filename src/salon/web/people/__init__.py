"""People with an account: organisers, curators, volunteers, artists. Visitors need none."""
