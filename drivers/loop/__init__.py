"""Vehicle-presence inputs."""
