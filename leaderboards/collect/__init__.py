"""Reading run directories into a board."""
