"""make monitor: what a run, or the containers of docker compose, are doing."""
