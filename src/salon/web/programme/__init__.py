"""Sessions, who gives them, where and when."""
