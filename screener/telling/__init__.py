"""What the administrator is told outside of the log: metrics, and a webhook."""
