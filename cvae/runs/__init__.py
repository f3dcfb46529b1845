"""Manage runs on disk and trainings as processes, without torch.

folder    reads and writes the run folder
files     single files: atomic replacement, arrays, the system's errors
history   the records of a training as curves
status    the status and the records of a training, and the control from the user
find      finds the user's runs and the shipped ones
queue     trains runs in processes of their own, one after the other
locks     files as locks between processes
machine   the processors that this process may use
"""
