"""26 November 2026, by the day's 24 hours."""

DATE_FORMAT = "j F Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j F Y, H:i"
MONTH_DAY_FORMAT = "j F"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
#: what stands in attributes is read by programs, and one way of writing numbers is enough
DECIMAL_SEPARATOR = "."
NUMBER_GROUPING = 0
