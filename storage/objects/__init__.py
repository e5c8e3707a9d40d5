"""The bytes of an index: create an object once, read it, list a prefix, remove it.

store  the protocol, and which store a URL names    local  a folder    bucket  an S3 prefix
stored what a listing says of an object

Knows keys and bytes; never what an index keeps in them.
"""
