"""The inverse of the components: settings from what exists on a platform, so that work done by hand comes under code.

``python -m components.existing --platform airbyte`` reads the platform's present settings and gives them back with an
entry for every object that they did not have. Nothing is changed on the platform.
"""
