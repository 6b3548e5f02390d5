"""Text files: cells, headers and dialects of CSV captures, and small tables."""
