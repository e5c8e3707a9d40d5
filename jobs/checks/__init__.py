"""Checks before anything is spent: credentials, bucket, conditional writes, codecs, weights, GPU.

doctor   the verb, and library, index, weights    check    one line of it
machine  GPU, memory, disks, Ray                  imports  what would be taken for a library
weights_once  weights, looked up once for all

Writes nothing but its own probes, and takes them away.
"""
