"""Is each platform well, and are its credentials? One module a platform, with the platform's name, that declares both.

`python -m health` answers for a stack, inside the stack's ESC environment; ``sophia health`` and ``sophia credentials``
run it there.
"""
