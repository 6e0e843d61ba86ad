"""Training, measuring and feeding the classifier: what happens away from the feed."""
