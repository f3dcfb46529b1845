"""What several pages share.

runs                the runs on disk: listing and choosing
cache               what the pages read of a run, once for all sessions
chart, picture      charts and pictures on a page
condition_input     what a model is given beside z, chosen on a page
comparison_picker   the runs that a page shows beside each other
metrics_table       what was measured of several runs
cards               the cards of the shipped runs
formulas            the formulas, by model family
"""
