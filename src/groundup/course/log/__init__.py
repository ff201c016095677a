"""The running log: what the learner writes about each lesson, in files that are theirs."""
