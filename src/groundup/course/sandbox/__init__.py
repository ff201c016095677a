"""Runs a learner's code where it can do no harm, and brings back values only."""
