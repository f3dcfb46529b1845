"""This package holds recipes, protocols and results, without torch.

recipes      the config of each shipped run
cards        the card of a shipped run
protocols    trainings and measurements for comparison with published figures
tables       the results of `python -m cvae reproduce`, in rows
comparison   the figures that may be compared between runs, and the best of them
"""
