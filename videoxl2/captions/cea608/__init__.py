"""CEA-608: captions as pairs of bytes beside each picture, to cues.

    channels = Channels()
    for ms, triplets in beside_pictures: channels.note(ms, triplets)
    channels.written(film_ms)                # {"CC1": [Written, …]}

    channels     pairs by field and channel; what belongs to other services left out
    screen       one channel's memories: rows from their first letter until they leave
    characters   codes to letters

The reader is one of our own: rows come and go, and rows are what is wanted. Readers that give whole screens
have to be compared row by row again, and take a line that is said twice for one.
"""

from videoxl2.captions.cea608.channels import Channels

__all__ = ["Channels"]
