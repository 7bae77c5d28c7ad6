"""The command `pronghorn`."""
