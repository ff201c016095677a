"""Datasets: a catalogue, a checksummed download or mirror, and loading."""
