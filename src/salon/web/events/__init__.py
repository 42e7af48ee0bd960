"""Events: days in the world. One installation holds several; bare routes mean the current one."""
