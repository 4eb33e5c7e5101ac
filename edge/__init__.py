"""The daemon on the appliance at one lot."""
