"""How algorithms run on games: one loop, four ways to carry out an update."""
