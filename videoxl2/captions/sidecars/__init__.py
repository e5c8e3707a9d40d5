"""Sidecars: captions in files beside the video, from their bytes and their names.

    track = read_sidecar("film.en.srt", "film.mp4", data, probe(path))

    reading     bytes to a track, by what they hold; the extension only where that does not say
    names       what a name says: language, flags, title
    encodings   bytes to text
    timed       cues under lines of times: SubRip, WebVTT, SBV
    counted     cues that count pictures or tenths: MicroDVD, MPL2
    script      ASS and SSA
    scenarist   CEA-608 codes under timecode labels: SCC
    broadcast   EBU STL
    streaming   WebVTT that counts on the clock of a transport stream
    origins     where labels begin to count

No library reads a sidecar, but for XML: none can be talked into opening another file.
"""
