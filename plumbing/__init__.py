"""What both daemons need that is not the trade: MQTT, signing, settings, web shell, logs."""
