"""The learner's files: edited here and outside, followed, and none of their states lost."""
