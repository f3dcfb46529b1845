"""The app's parts: with `pages` and `app.py` the only modules that import Streamlit.

The frame: text.py the words, state.py what the address carries, runs.py the runs on disk, frame.py app.py itself.
Start and Train: start.py, training.py the settings, dataset.py the data, live.py the live view.
Explorer: explorer.py, with bundle.py that joins its modules.
The other pages have a module of their name; what they share is in linked.py, loaded.py, picture.py, notes.py, and of
runs beside each other in several.py, figures.py, cards.py. Measure also shows papers.py, what others published.
"""
