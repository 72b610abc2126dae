"""Call traffic of businesses that do not exist, drawn from published measurements, and what the policies make of it."""
