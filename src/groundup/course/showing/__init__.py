"""How a verdict, the map and a stretch of time are put into words and colours."""
