"""Lanes at work: devices in, decisions from the services, commands of the lane's state machine carried out."""
