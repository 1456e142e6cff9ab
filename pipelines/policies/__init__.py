"""`plimsoll policy`: shows a policy, and simulates how often it errs."""
