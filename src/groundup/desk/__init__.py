"""The desk: the course in the browser, served on this machine alone."""
