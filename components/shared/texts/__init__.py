"""Texts from outside: read without hanging, and shown without being interpreted."""
