"""Provide the surroundings of every page, and the tools of its parts.

text          the words of each language
state         the values in the address and the session
messages      formulas, notices and problems on a page
url_widgets   controls whose value is in the link
navigation    app.py around every page
"""
