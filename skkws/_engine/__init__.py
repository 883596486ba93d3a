"""What computes: machine code, networks as functions of their weights, and their training. For every room."""
