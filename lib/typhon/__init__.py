"""What comes with the runtime and is no part of Python's library."""
