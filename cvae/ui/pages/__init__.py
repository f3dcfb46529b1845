"""The parts of each page, in a module of its name; `training` and `dataset` are of Train, `papers` of Measure."""
