"""The run, on Ray: a driver that hands out videos and commits rows, model actors, and tasks on CPUs."""
