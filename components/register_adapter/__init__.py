"""Registers the adapter that was evaluated, and makes it champion."""
