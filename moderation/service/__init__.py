"""Inside ingestion services: the hook, hot reload, signed bundles, the HTTP service, streams."""
