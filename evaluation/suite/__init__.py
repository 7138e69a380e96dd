"""`mnpo-bench evaluate`: models, benchmarks and judges brought together in one run directory."""
