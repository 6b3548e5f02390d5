"""The night file: an SQLite database of raw packets, and device clocks in UTC."""
