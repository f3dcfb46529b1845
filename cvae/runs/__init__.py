"""Runs on disk and trainings as processes, without torch.

folder    the run folder, read and written
history   its records, thinned for curves and read on from where one was
status    what a training says of itself, and what is asked of it
find      where runs lie: those of the user, and the shipped ones
queue     trainings as processes of their own, one after the other
locks     files as locks between processes
machine   the processors that this process may use
"""
