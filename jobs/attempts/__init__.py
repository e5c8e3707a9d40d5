"""One try at one video: what is to be done, what it took, and whether the video was at fault."""
