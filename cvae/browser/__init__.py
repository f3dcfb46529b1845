"""What the browser gets, without torch.

explorer     runs as what the live explorer decodes
live         a training as what the live view draws
js_bundler   the modules of a folder as one script
"""
