"""26 de noviembre de 2026, 18:30."""

DATE_FORMAT = r"j \d\e F \d\e Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = r"j \d\e F \d\e Y, H:i"
MONTH_DAY_FORMAT = r"j \d\e F"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
#: what stands in attributes is read by programs, and one way of writing numbers is enough
DECIMAL_SEPARATOR = "."
NUMBER_GROUPING = 0
