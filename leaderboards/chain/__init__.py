"""Train, evaluate, render: a whole comparison in one folder that can be taken up again."""
