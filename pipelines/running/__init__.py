"""A run on this machine: preflight, launch, containers, and what a person sees of it."""
