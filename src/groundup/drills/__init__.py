"""Short functions to build the fingers: one idea each, no loop over elements."""
