/**
 * Environment variables that point common tools to a bundle of CA certificates: OpenSSL, requests, Node, pip, curl,
 * git. Set for build steps only; never part of an image.
 */
export const CA_VARIABLES = [
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  "PIP_CERT",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
] as const;
