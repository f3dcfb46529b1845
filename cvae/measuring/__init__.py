"""This package measures trained models, on torch.

metrics        measures of codes, features and densities
classifier     the frozen classifier of a data set, which judges samples
generation     the quality of a model's samples for this classifier
augmentation   the use of samples for a classifier with few real images
evaluation     the figures of a run on its test images
reproduce      training and measuring for a protocol
shipping       small runs for the gallery
exact          log p(x) by quadrature, for one or two latent dimensions
bench          the speed of training on this machine
"""
