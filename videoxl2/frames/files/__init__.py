"""Files from strangers: opened under guards, packets in stored order, packets to pictures.

formats      what containers say without FFmpeg       payloads       what packets say of their pictures
container    guards, limits, the stream that counts   packets        stored order, GOPs, damage
decoder      packets to pictures                      decoder_state  what a decoder is told once
pixels       resize and rotation                      codecs         what this FFmpeg can decode
apple_video  packets that are no keys                 picture_types  whether a decoder can start here
kept_areas   pictures that keep areas of the last

Knows bytes, packets and pictures; never when a picture is shown on the film's clock.
"""
