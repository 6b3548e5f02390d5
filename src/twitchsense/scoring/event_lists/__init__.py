"""Event lists of scorers in the files of other programs: their kinds, legs and clocks."""
