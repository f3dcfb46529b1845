"""The app's parts: with `pages` and `app.py` the only modules that import Streamlit.

frame        words, link, session, and what stands around every page
parts        what several pages share: runs, pictures, charts, figures
components   the explorer and the live view, which run in the browser
pages        the parts of each page
"""
