"""A person's review of a run: the case, the session, its drafts, and what becomes of it."""
