"""`mnpo-bench score`: one file for each benchmark."""
