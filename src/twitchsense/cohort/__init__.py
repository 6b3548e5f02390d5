"""Batch analysis of many nights: one resumable task each, into one Parquet dataset."""
