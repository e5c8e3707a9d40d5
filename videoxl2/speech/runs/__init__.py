"""Runs of speech: where somebody speaks, and which runs are heard at once.

voice   how likely somebody speaks, window by window    runs    cut at silences, as sound comes
pieces  runs that the decoder gets together

Knows samples and their times; never a word.
"""
