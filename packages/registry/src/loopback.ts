/**
 * Whether a registry host, with or without a port, is this machine: "localhost:5000", "127.0.0.1", "[::1]:5000".
 * Docker's rule: such a registry is reached over plain HTTP.
 */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host);
}
