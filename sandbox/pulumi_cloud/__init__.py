"""Pulumi Cloud on localhost: accounts, stacks, updates and secrets, as Pulumi's command line uses them, and ESC."""
