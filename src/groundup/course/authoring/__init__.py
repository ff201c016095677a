"""What the authors of lessons have their work checked with."""
