"""Clocks: when each picture of a file is shown, told from what all its packets say.

clock       the film's growing clock, and putting it on packets    columns         packets as columns
clockmaker  which clock a file needs                               timeline        lengths and rates, measured
pieces      clocks that jump, start again or wrap                  program_stream  most pictures have no stamp
order       no times but the decoder's order                       edits           edit lists
joints      files put together byte by byte

Knows stamps and ticks; never targets, spans or who asks for a picture.
"""
