"""What the papers claim, tested."""
