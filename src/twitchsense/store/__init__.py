"""Captures: CSV, Parquet, EDF and BDF become a Recording."""

from twitchsense.store.read import read

__all__ = ["read"]
