"""What a learner has done: the log of events, and what is measured from it."""
