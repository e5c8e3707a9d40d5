"""Settling: what a run leaves in the index.

settle     commits, publishes, the run's own rows    relinking  rows follow a moved object
tidying    merges small files by the way

Knows bundles and the index; never an actor, a file or an answer.
"""
