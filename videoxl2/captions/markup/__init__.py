"""Words out of the marks of caption formats, by written rules: what is said and who says it stays.

    webvtt   <v Name>, classes, ruby, times inside a cue, entities
    subrip   the few tags that players know; everything else is text
    ass      drawings and overrides out, breaks in, the speaker from the Name field
    plain    lines and spaces, the same for all

No library and no reader of files: text in, text out.
"""
