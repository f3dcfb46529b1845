"""Training a model into a run folder, on torch.

loop         fit(): a generator of records; the loop minds control and clock
step         one step: model, optimiser, noise, streams of batches
world        the processes that train one model together, today one
batches      a split of a data set on the training's device
schedule     when snapshots and records are due, and the learning rate
recorder     the records of a training
writer       what a training writes into its run folder
snapshots    what a run folder shows of a model at one moment
checkpoint   what resuming needs
failure      why a training ended, as a sentence where there is a remedy
settings     torch as a training needs it, and as the caller had it
load         load(): the model back from its run folder
worker       a process that trains what is queued
"""
