"""Pictures as text: SVG and grids of numbers, for verdicts and explorables.

Colour comes from classes (static/drawing.css), never from a style attribute, and never speaks alone.
"""
