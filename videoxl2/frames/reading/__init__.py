"""Reading: the pictures that are on screen at wanted instants, decoding as little as possible.

reader     spans of numpy frames               sampling   the grid of targets and its spans
targets    instants as ticks, held pictures    scheduler  which packets to decode
film       packets with the film's ticks       entry      where to begin
in_order   no times but the decoder's order    cuts       where boundaries move to
keyframes  small pictures of given instants    thumbnail  one small picture for a page

Knows ticks that grow; never how a container's stamps became them.
"""
