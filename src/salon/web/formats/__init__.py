"""How dates and times are written, where Django's own ways are not the house's."""
