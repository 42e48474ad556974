"""What tests the parts that speak to Kubernetes, in virtual time."""
