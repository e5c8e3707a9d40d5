"""Small pictures that stand for a film or a part of it, for people to look at.

thumbnail  one picture for a page    keyframes  one for each of given instants    strip  evenly spaced ones

Knows the reader; never what the pictures are kept or shown with.
"""
