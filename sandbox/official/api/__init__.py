"""What of the four platforms' own HTTP APIs the sandbox has: who calls, and what that caller may do.

Infrastructure goes through the official packages' stand-in (`sandbox.official.server`); these few calls serve health
checks, which ask the platforms themselves. They look at the same objects, and they do check credentials.
"""
