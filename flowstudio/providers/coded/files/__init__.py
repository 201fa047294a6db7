"""Files of this machine: read, write, list, copy, move, delete."""
