"""Measuring trained models, on torch.

metrics        measures of codes, features and densities
classifier     the frozen judge of a data set's samples
generation     what a model's samples are worth to it
augmentation   what samples teach a classifier that has few real images
evaluation     the figures of a run on its test images
reproduce      a protocol: trained, measured, written down
shipping       how a run is made small for the gallery
exact          log p(x) by quadrature, for one or two latent dimensions
bench          how fast training is on this machine
"""
