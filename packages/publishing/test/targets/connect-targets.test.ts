import type { Client, Service } from "@dagger.io/dagger";
import { applyOverride, type Catalog } from "@tgo/catalog";
import { Progress } from "@tgo/progress";
import { expect, it } from "vitest";
import { connectTargets } from "../../src/targets/connect-targets.js";

const registry = (host: string): unknown => ({ host, repository: "tgoai/{service}" });

function catalogOf(hosts: readonly string[]): Catalog {
  const own = Object.fromEntries(hosts.map((host, index) => [`r${index}`, registry(host)]));
  const registries = { ghcr: null, dockerhub: null, acr: null, ...own };
  return applyOverride({ services: {} }, { registries }, "test.json");
}

function targetsOf(
  hosts: readonly string[],
  options: { readonly local?: boolean; readonly registryService?: readonly Service[] } = {},
): ReturnType<typeof connectTargets> {
  return connectTargets(catalogOf(hosts), {
    client: { host: () => ({ service: () => undefined }) } as unknown as Client,
    progress: new Progress(() => undefined),
    signal: undefined,
    local: options.local ?? false,
    registryService: options.registryService ?? [],
    dockerConfig: undefined,
    credentials: undefined,
  });
}

it("in a module, a registry on localhost without a connection fails with the flag for each registry, in order", async () => {
  const targets = await targetsOf(["localhost:1", "ghcr.io", "127.0.0.1:5002", "docker.io"]);
  for (const index of [0, 2]) {
    await expect(targets[index]?.client.resolve("tgoai/tgo-api", "latest")).rejects.toMatchObject({
      code: "USAGE",
      remedy: expect.stringMatching(
        /\n--registry-service tcp:\/\/localhost:1 --registry-service tcp:\/\/ghcr\.io:443 --registry-service tcp:\/\/127\.0\.0\.1:5002$/,
      ) as string,
    });
  }
});

it("on the caller's machine, or with a connection, the registry is asked", async () => {
  const [onHost] = await targetsOf(["localhost:1"], { local: true });
  const service = {
    start: () => Promise.resolve(),
    endpoint: () => Promise.resolve("http://127.0.0.1:1"),
  } as unknown as Service;
  const [connected] = await targetsOf(["localhost:1"], { registryService: [service] });
  for (const target of [onHost, connected]) {
    const client = target?.client.withRetryOptions({ retries: 0 });
    await expect(client?.resolve("tgoai/tgo-api", "latest")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  }
});
