// Placeholder until the bundle exists.
