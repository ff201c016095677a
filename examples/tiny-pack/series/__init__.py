"""What the lessons of this pack build."""
