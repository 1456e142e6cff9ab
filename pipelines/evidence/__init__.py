"""The evidence of a decision: verified by a second implementation of the gate, and its answers drawn again."""
