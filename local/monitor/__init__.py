"""make monitor: the state of a run or of docker compose's containers."""
