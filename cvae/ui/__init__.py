"""Build the app. Only this package, `pages` and `app.py` import Streamlit.

frame        words, link, session, and the surroundings of every page
parts        modules that several pages share: runs, pictures, charts, figures
components   the explorer and the live view, which run in the browser
pages        the parts of each page
"""
