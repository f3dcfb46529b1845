"""This package prepares data and scripts for the browser, without torch.

explorer     runs for the live explorer, which encodes and decodes
parts        the same in parts: each model in bytes of its own
live         a training for the live view
names        different names for runs of the same name
js_bundler   the modules of a folder as one script
"""
