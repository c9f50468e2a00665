"""What is read from the rows of any study: robustness, correlations, verdicts, agreement, tables, one look."""
