"""S3 over HTTP: one client per endpoint, botocore's errors in our words, listing and PUT with little CPU.

client  the client and its errors      pages   pages of a listing
put     the PUT of a commit            ranges  key ranges listed side by side, in the order of the keys
download  one object into a file, compared with its ETag

Knows requests and keys; never what a key means to a library or an index.
"""
