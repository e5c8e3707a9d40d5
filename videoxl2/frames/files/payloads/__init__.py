"""What a packet's own bytes say of its picture, before it is decoded.

holes         zeros where bytes were lost      jpeg        pictures that say their own size
mpeg4_layers  another description from here    jpeg_zeros  plain areas, or bytes that were lost

Knows packets one after the other; never their times or their container.
"""
