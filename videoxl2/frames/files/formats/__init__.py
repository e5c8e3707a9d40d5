"""What container formats say in their own bytes, read without FFmpeg.

boxes         MP4 and QuickTime headers              structure        files that end too early
matroska      elements, and damage to them           chains           elements that stop following each other
matroska_end  when the last picture is shown         matroska_tracks  what track entries say
continuity    transport packets that do not follow   programme_maps   what a transport stream's tables say
asf_packets   data packets of ASF

Knows bytes on a disk; never PyAV, a decoder or a picture.
"""
