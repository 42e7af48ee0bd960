"""2026年11月26日 18:30"""

DATE_FORMAT = "Y年n月j日"
TIME_FORMAT = "G:i"
DATETIME_FORMAT = "Y年n月j日 G:i"
MONTH_DAY_FORMAT = "n月j日"
SHORT_DATE_FORMAT = "Y/n/j"
SHORT_DATETIME_FORMAT = "Y/n/j G:i"
#: what stands in attributes is read by programs, and one way of writing numbers is enough
DECIMAL_SEPARATOR = "."
NUMBER_GROUPING = 0
