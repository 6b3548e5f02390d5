"""Reading and writing captures: CSV, Parquet, EDF, BDF, night files and BIDS."""

from twitchsense.io.read import read

__all__ = ["read"]
