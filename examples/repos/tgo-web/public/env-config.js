// Default for development; docker-entrypoint.sh writes this file anew in the container.
window.ENV = {};
