"""The portfolio: what a workspace holds as a static site that opens from a folder."""
