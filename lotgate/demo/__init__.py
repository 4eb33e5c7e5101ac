"""The whole system on one machine: broker, cloud, one lot, simulated devices fed with pictures, a scripted day."""
