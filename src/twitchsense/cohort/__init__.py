"""Thousands of nights: one task each, resumable, into one Parquet dataset."""
