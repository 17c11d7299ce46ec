"""What an answer may be: languages over bytes, what they are read from, and the tables that a GPU walks."""
