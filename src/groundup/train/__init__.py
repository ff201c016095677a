"""The training stack: the order of data, the step, the loop, what is saved."""
