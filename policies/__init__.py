"""What no stack may do, whatever its settings say, and which controls that serves.

Each policy is data and a pure function (`policies.model`), so that tests need no engine; `policies.crossguard` hands them to
the engine, which asks them about every resource of a preview and an up, and `policies.report` asks them about a state.
"""
