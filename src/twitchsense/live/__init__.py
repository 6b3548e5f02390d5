"""A night while it is recorded: detection, and views in the terminal and the browser."""
