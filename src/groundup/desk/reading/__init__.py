"""A lesson as it is read: prose, mathematics, figures."""
