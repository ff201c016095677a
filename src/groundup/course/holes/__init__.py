"""The library with holes: where a text comes from, and what of it the learner is given."""
