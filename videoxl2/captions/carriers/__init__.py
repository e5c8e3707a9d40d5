"""Where files carry captions, packet by packet; nothing is decoded.

streams      which streams carry what, and what is said of them
collecting   what one pass over the packets collects
packets      words of text tracks
heads        caption bytes at the head of a picture's packet: H.264, HEVC, MPEG-2
cdp          caption bytes in ancillary data, as MXF stores them
"""
