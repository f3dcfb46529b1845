"""What stands around every page, and what its parts are made of.

text          the words of each language
state         what the address and the session carry
messages      formulas, notices and problems on a page
url_widgets   controls whose value is in the link
navigation    app.py around every page
"""
