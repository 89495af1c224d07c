"""What a user would write, or run, instead: the other side of the cluster's ratios."""
