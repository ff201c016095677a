"""The learner's folder, what stands in it, and the machine that it is on."""
