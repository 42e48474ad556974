"""What a controller tells of itself: metrics, health, logs."""
