"""Studies: many runs (algorithms x settings x seeds) as one resumable run directory."""
