"""Language models behind one protocol, `agent.types.Model`."""
