"""What `build.py` does, and `py_wgml site` and `serve`, a room for each thing. What drives a browser takes Playwright,
what names and fetches models py_wgml's own modules for that; all else is the standard library's.

From the bottom up: errors, paths; cache, finding; environment; fetching; pins; lock; models, brand, site, options;
serving; browser; chat, bench, bench_page, screenshots, audit; protocol, checks; commands.
"""
