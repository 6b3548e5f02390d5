"""The night file: an SQLite database of raw packets, and what places them in UTC."""
