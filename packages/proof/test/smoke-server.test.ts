import type { BuildContext, Variant } from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import { expect, it } from "vitest";
import { smokeVariant } from "../src/smoke-variant.js";

/** Smoke-tests a variant whose server sends a page without Cache-Control. */
function smoke(strategy: string): Promise<{ readonly lines: readonly string[] }> {
  const responses = [{ url: "http://service:80/", status: 200, uncontrolled: true }];
  const tools = {
    withNewFile: () => tools,
    withServiceBinding: () => tools,
    withExec: () => tools,
    stdout: () => Promise.resolve(JSON.stringify({ ok: true, responses })),
  };
  const container = {
    exists: () => Promise.resolve(false),
    withExec: () => ({ stdout: () => Promise.resolve("x86_64\n") }),
    entrypoint: () => Promise.resolve(["nginx"]),
    defaultArgs: () => Promise.resolve([]),
    withoutDockerHealthcheck: () => container,
    withExposedPort: () => container,
    asService: () => ({ stop: () => Promise.resolve() }),
  };
  const context = {
    native: "linux/amd64",
    // It cannot be asked for its machine.
    client: {},
    bases: { container: () => Promise.resolve(tools) },
    catalog: { machines: { "linux/amd64": [] } },
  };
  const service = {
    build: { strategy },
    image: { ports: [80] },
    smoke: { exec: [], env: {}, http: [{ port: 80, path: "/", status: 200 }], timeoutSeconds: 1 },
  };
  return smokeVariant(
    context as unknown as BuildContext,
    "web",
    service as unknown as Service,
    { platform: "linux/amd64", container } as unknown as Variant,
  );
}

it("a static page that browsers may keep is told, and no other service's", async () => {
  const remark = " (no Cache-Control: browsers may show this page after the next release)";
  expect((await smoke("static-web")).lines.at(-1)).toBe(`GET :80/ 200${remark} [native]`);
  expect((await smoke("dockerfile")).lines.at(-1)).toBe("GET :80/ 200 [native]");
});
