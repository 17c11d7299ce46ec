"""What `build.py` does, a room for each thing it can. All but what drives a browser is the standard library's.

From the bottom up: errors, paths; cache, finding; environment; fetching; pins; lock; models, brand, site; serving;
browser; chat, bench, screenshots, audit; checks.
"""
