"""Layers of neural networks by hand: forward and backward as plain functions over arrays, each with its cache explicit."""
