"""Training a model into a run folder, on torch.

loop         fit(): a generator of records that writes a run folder
batches      a split of a data set on the training's device
schedule     when snapshots and records are due, and the learning rate
recorder     the records of a training
snapshots    what a run folder shows of a model at one moment
checkpoint   what resuming needs
load         load(): the model back from its run folder
worker       a process that trains what is queued
"""
