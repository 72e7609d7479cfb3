"""Work done later: a queue in PostgreSQL, written in the caller's transaction.

``queue`` puts jobs in, ``lease`` hands them out one at a time to whoever asks, ``run`` is what a
handler gets, ``worker`` is the loop, ``schedule`` makes periodic jobs. A job runs at least once;
what its handler does in a step's transaction takes effect exactly once.
"""
