"""The operator's pages: rendered here, whole without JavaScript, each also as JSON. With metrics and health, on a listener of
their own."""
