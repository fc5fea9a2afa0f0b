"""The Python language host: what the engine starts to run Python programs and policy packs.

The official host is a Go program that cannot be had as a Go module, so an engine built from modules gets this one. The
folder is copied beside the engine and runs there on its own: it imports the standard library, grpc, protobuf and the
Pulumi protobufs, nothing else of this project.
"""

VERSION = "3.258.0"
"""The Pulumi version of the engine, the Python SDK and this host: one number for all three."""
