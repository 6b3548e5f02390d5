"""Agreement of two lists of events, matched one to one."""
