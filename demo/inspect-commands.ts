import type { DemoRegistries } from "./registry-process.js";

/** Commands that inspect the images without this product, with other clients. */
export async function inspectCommands({ registries }: DemoRegistries, folder: string): Promise<string> {
  const tags = await tagsOf(registries[0]?.host ?? "");
  const auth = `${folder.split("/").at(-1) ?? folder}/docker-config.json`;
  const inspect = registries.map(
    ({ host }) =>
      `  skopeo inspect --raw --tls-verify=false --authfile ${auth} docker://${host}/tgoai/tgo-api:${tags["tgo-api"] ?? ""} | sha256sum`,
  );
  const host = registries[0]?.host ?? "";
  const lines = [
    "The same bytes in every registry (three equal checksums, the digest in the report):",
    ...inspect,
    "Run the arm64 image on this machine:",
    `  buildah from --name demo-arm64 --tls-verify=false --platform linux/arm64 docker://${host}/tgoai/tgo-api:${tags["tgo-api"] ?? ""}`,
    `  buildah run --isolation chroot demo-arm64 -- python -c 'import platform; print(platform.machine())'; buildah rm demo-arm64; buildah rmi ${host}/tgoai/tgo-api:${tags["tgo-api"] ?? ""}`,
  ];
  return lines.join("\n");
}

async function tagsOf(host: string): Promise<Record<string, string>> {
  const entries = await Promise.all(
    ["tgo-api", "tgo-web"].map(async (service) => {
      const response = await fetch(`http://${host}/v2/tgoai/${service}/tags/list`);
      const { tags } = (await response.json()) as { tags: string[] };
      return [service, tags.find((tag) => tag.startsWith("candidate-")) ?? ""] as const;
    }),
  );
  return Object.fromEntries(entries);
}
