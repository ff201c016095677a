"""The pages, one idea a file; each has its `routes`."""
