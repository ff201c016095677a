"""What to read and watch beside the lessons, and a log of what it said."""
