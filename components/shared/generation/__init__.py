"""Asks models: the Engine protocol, batches, and the transformers engine. Imports torch only when used."""
