"""Sensors: states of the world that a Dag waits for."""
