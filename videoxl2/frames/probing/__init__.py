"""Probing: what a file is, how long it lasts, what its containers say of it, and the clock to read it by.

probe           one pass over a file: `MediaInfo`     media_info         what is known of a video then
scan            that pass: packets, first picture     showing            its clock, edits and length
rates           pictures per second                   cut_short          files that end early
stated          a length without that pass            metadata           title, camera, place, languages
dates           dates as people write them            header_dates       dates in binary headers
start_timecode  the first picture's label             languages, places  BCP 47, ISO 6709

Knows whole files; never which pictures somebody wants.
"""
