"""Who judges the applications, and how."""
