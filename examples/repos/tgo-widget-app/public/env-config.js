// For development; the container's entrypoint writes it anew.
window.ENV = {};
