"""Asks a model every prompt several times and judges the answers; runs on the base model and on the adapter."""
