"""What the controller costs on a real API server, beside its budgets (`make bench-k8s`)."""
