"""Reading: the pictures that are on screen at wanted instants, decoding as little as possible.

choosing        which pictures answer which instants    stills     small pictures for people
reader          spans of numpy frames                   cuts       where boundaries move to
all_pictures    every picture once, in order            film       packets with the film's ticks
entry           where in a file to begin                frame_span  frames of consecutive targets
small_pictures  each picture at 64 x 36                 shrinking  how they become so small

Knows ticks that grow; never how a container's stamps became them.
"""
