"""Provide the parts that several pages share.

runs                lists and pickers of the runs on disk
cache               the data of a run, read once for all sessions
chart, picture      charts and pictures on a page
condition_input     controls for a model's conditions
comparison_picker   the choice of runs to compare
metrics_table       the metrics of several runs
cards               the cards of the shipped runs
formulas            the formulas, by model family
"""
