"""Recipes, protocols and what was found, without torch.

recipes      what is shipped, and how each of it is made
cards        the card of a shipped run
protocols    what stands beside published figures, and how it is trained and measured
tables       what `python -m cvae reproduce` found, in rows
comparison   which figures of two runs may stand in one row, and which is the better
"""
