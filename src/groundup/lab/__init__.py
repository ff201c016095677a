"""The machinery of runs: recipes and the record of what a run did."""
