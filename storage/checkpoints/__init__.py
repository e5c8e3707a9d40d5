"""A model's checkpoint under an S3 prefix, and the copy of it that a machine keeps.

remote  its files and its revision, by one listing     heads  what a plan needs of it: all but the weights
copy    the whole of it, fetched once a machine         parts  ETags of what was uploaded in parts

Knows names, sizes and ETags; never what is in a checkpoint.
"""
