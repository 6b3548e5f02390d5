"""Results of an analysis: the Night object, the files it is saved to, reopening them."""
