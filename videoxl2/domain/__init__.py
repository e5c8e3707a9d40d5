"""Tell whether a video looks like what a checkpoint was made for, before it is asked about it.

    domain = read_domain(folder)                    # None: the checkpoint says nothing of it
    domain.distance_of(read_pictures(path, info))   # farther than domain.max_distance is outside

    statistics    what is measured of a picture
    pictures      twelve pictures of a video
    description   domain.json: which numbers are usual, and how far from them is too far
    fitting       such a description, out of videos that are inside

It measures how pictures are made, not what they show: see docs/trust.md. Imports PyAV and numpy only.
"""

from videoxl2.domain.description import FILE_NAME, Domain, read_domain, write_domain
from videoxl2.domain.fitting import fit_domain
from videoxl2.domain.pictures import NUM_PICTURES, SIDE, read_pictures
from videoxl2.domain.statistics import STATISTICS, picture_statistics, video_statistics

__all__ = [
    "FILE_NAME",
    "NUM_PICTURES",
    "SIDE",
    "STATISTICS",
    "Domain",
    "fit_domain",
    "picture_statistics",
    "read_domain",
    "read_pictures",
    "video_statistics",
    "write_domain",
]
