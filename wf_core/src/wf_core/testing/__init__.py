"""What authors of plugins and adapters need: virtual time, contract suites, the simulation."""
