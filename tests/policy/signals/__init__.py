"""Each signal by itself."""
