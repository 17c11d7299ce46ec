"""What `build.py` does, a room for each thing it can. What drives a browser takes
Playwright, what reads names of models py_wgml's own reader; all else is the standard library's.

From the bottom up: errors, paths; cache, finding; environment; fetching; pins; lock; models, brand, site; serving;
browser; chat, bench, screenshots, audit; protocol, checks; commands.
"""
