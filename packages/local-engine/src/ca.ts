/** Where the CA bundle of the host is seen by commands: below /run, which no image ships files in. */
export const CA_BUNDLE = "/run/host-ca-bundle.crt";

/** What leads the common tools to it: OpenSSL, requests, Node, pip, curl, git. Never in an image. */
export const CA_VARIABLES = [
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  "PIP_CERT",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
] as const;
