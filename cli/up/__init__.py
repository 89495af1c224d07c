"""`relief up`: all processes of the cluster way of running, on one machine, without containers."""
