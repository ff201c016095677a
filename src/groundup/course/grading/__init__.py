"""A class: many submissions judged, counted, compared with each other, and reported."""
