"""What the steps are made of: no kfp, no step, and nothing heavy at import."""
