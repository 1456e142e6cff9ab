"""The evidence of a decision: opened, verified by code that imports nothing that decides, and drawn again."""
