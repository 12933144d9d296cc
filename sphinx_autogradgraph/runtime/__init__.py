"""The worker: the processes that run programs, and the cache of their results."""
