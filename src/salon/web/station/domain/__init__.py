"""Rules of the station; views and API only translate."""
