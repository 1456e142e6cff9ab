"""Verifiable instructions: each kind is a small rule that reads an answer and needs no model.

Kinds named after IFEval follow the definitions of Zhou et al. 2023 (arXiv 2311.07911); `plimsoll:` kinds are ours.
"""
