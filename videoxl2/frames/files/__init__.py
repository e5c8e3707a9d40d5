"""Files from strangers: opened under guards, packets in stored order, packets to pictures.

container  guards, limits, the stream that counts    packets        stored order, GOPs, damage
decoder    packets to pictures                       decoder_state  what a decoder is told once
pixels     resize and rotation                       codecs         what this FFmpeg can decode
boxes      MP4 and QuickTime headers                 matroska       elements, and damage to them
structure  files that end too early                  continuity     transport packets that do not follow
holes      zeros where bytes were lost               jpeg           pictures that say their own size

Knows bytes, packets and pictures; never when a picture is shown on the film's clock.
"""
