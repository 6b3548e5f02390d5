"""Decisions: grouping, limits, classifiers and the rules of a cluster and of the night."""
