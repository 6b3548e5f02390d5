"""The data model: recordings, candidates, event tables, per-second statistics. Data only."""
