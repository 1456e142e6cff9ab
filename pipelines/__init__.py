"""The graph: what runs after what, where, and how it is started. Knows the steps by their interface only."""
