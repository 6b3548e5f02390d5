"""Captures that are tables: columns of times and signals, from text or from a DataFrame."""
