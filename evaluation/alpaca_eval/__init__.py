"""AlpacaEval 2: win rates against a baseline's answers, as they are and with length held equal."""
