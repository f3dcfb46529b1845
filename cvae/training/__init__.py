"""Train a model into a run folder with torch.

loop         fit(): a generator of records; the loop handles control and clock
step         one step: model, optimiser, noise, streams of batches
world        the processes that train one model together, today one
batches      a split of a data set on the training's device
schedule     the steps of snapshots and records, and the learning rate
recorder     the records of a training
writer       writes the run folder of a training
snapshots    the arrays that show a model at one step
checkpoint   saves and restores the state of a training
failure      the reason of a failed training, as a sentence with a remedy if there is one
settings     torch's settings during a training
load         load(): reads a model from its run folder
worker       a process that trains the queued runs
"""
