"""Trends over many nights: rates night by night, compared by a diary."""
