"""Keep an index small and whole: rewrite its parts, remove what nothing refers to, forget a video.

compact  small parts into large ones          repair  damaged parts made anew from bundles
vacuum   files that no snapshot refers to     forget  every row of one video, with a receipt

Each writes new files and switches by one snapshot; none changes a file that readers may hold.
"""
