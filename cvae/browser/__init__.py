"""What the browser gets, without torch.

explorer     runs as what the live explorer decodes
live         a training as what the live view draws
names        how runs of the same name are told apart
js_bundler   the modules of a folder as one script
"""
