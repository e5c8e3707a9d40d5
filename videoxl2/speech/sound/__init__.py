"""Sound of one stream as blocks of 16 kHz, each at its time.

sound     packets to blocks, forgotten when used    tracks    which of several streams is heard
clock     stamps against counted samples            rates     the rate that stamps tell
channels  several channels into one

Knows streams and samples; never what is said in them.
"""
