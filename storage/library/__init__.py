"""The library: list its videos with their object revisions, fetch one, say where it can be played from.

library    the door: list and fetch             selection  which objects are videos to index
local      a folder                             bucket     an S3 prefix
listing    the selected ones, and counts         pairing    which texts lie beside which video
inventory  a bucket listed by S3 Inventory      inventory_rows  its files, row by row
playback   where an indexed video is played from

Knows objects and their revisions; never what is inside a video, nor what an index says of it.
"""
