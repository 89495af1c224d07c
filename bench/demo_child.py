"""`relief demo` as a process of its own, without the server's modules."""

import sys

from cli.demo_command import demo

if __name__ == "__main__":
    demo(small="--small" in sys.argv)
