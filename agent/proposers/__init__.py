"""What makes candidates from elites, behind one protocol, `agent.types.Proposer`."""
