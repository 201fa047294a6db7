"""The HTTP face: the contract's endpoints over the same services the window uses."""
