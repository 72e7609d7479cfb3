"""The features. Each is one folder; none imports another."""
