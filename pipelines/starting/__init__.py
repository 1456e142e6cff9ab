"""The first hour: a config of one's own, and what this machine lacks for it."""
