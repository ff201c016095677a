"""One workspace before the judge: the warm process, the watch, and what a learner does beside checking."""
