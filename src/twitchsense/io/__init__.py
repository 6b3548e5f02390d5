"""Captures: CSV, Parquet, EDF and BDF become a Recording."""

from twitchsense.io.read import read

__all__ = ["read"]
