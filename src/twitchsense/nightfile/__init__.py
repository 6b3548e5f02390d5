"""The night file: SQLite schema, writer, reader, device clock, loss report."""
