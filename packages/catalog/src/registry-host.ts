/** 1 to 65535. */
const PORT = "(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";

/** A host as image references name it, as part of a pattern: a name, an IPv4 address or an IPv6 address in brackets. */
export const HOST_PATTERN = `(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\\[[0-9a-fA-F:.]+\\])(?::${PORT})?`;

/** The whole text is such a host. */
export const REGISTRY_HOST = new RegExp(`^${HOST_PATTERN}$`);
