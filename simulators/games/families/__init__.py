"""One small file per game family; its name is the game's name on the command line."""
