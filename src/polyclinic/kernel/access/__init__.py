"""Who may do what: principals and the one place that decides."""
