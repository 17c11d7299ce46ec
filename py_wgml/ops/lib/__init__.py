"""What operations share."""
