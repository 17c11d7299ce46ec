"""The page; and in `web.build` what makes a site of it."""
