"""The commands: one thin file each over a library function of the same name and defaults."""
