"""Ray: started or joined, watched, and left without a trace on terminal, disk or import path.

address      which cluster, and whether it lets us in   nodes        which are there, and about to go
autoscaling  why there are no more of them
joining      starts or joins it, and leaves it    vital_signs  whether it lives, without asking it
session      its folder on this machine           words        what it says, kept off the terminal

Knows Ray's processes and files; nothing of videos, actors or runs.
"""
