export interface DockerHubOptions {
  /** Default 3000. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

/**
 * Whether this machine can pull a base image from Docker Hub now: it is reachable, issues an anonymous token, returns
 * the manifest, and this address has pulls left. HEAD does not count against the pull limit.
 * https://docs.docker.com/docker-hub/usage/pulls/
 */
export async function dockerHubIsReachable(options: DockerHubOptions = {}): Promise<boolean> {
  const { timeoutMs = 3_000, fetch: request = fetch } = options;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const granted = await request(
      "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/python:pull",
      { signal },
    );
    if (!granted.ok) return false;
    const { token } = (await granted.json()) as { token?: unknown };
    if (typeof token !== "string") return false;
    const manifest = await request("https://registry-1.docker.io/v2/library/python/manifests/3.11-slim", {
      method: "HEAD",
      headers: { authorization: `Bearer ${token}`, accept: "application/vnd.oci.image.index.v1+json" },
      signal,
    });
    const remaining = manifest.headers.get("ratelimit-remaining");
    return (
      manifest.ok && manifest.headers.has("docker-content-digest") && !(remaining?.startsWith("0;") ?? false)
    );
  } catch {
    // No network, a proxy's HTML, a timeout: all the same to the caller.
    return false;
  }
}
