"""Which pictures of a stream answer the wanted instants, and which packets must be decoded for them.

sampling   the grid of targets and its spans    targets   instants as ticks, held pictures
scheduler  which packets to decode              in_order  no times but the decoder's order
drafting   what a draft decodes

Knows packets and pictures as they come; never opens a file or seeks in one.
"""
