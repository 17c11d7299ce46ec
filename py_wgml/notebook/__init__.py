"""What notebooks show: answers as they stream, and a small chat."""
