"""Decoding: pieces of speech to words, each with its time, by Whisper on CTranslate2.

decoder    one piece, in one pass on one thread    hearing    what its runs say
languages  in which language it is written down    guards     what tells invented words
words      when each word is said                  sentences  words to rows
marks      what ends a sentence

Knows one piece of sound at a time; never a file, a stream or a whole video.
"""
