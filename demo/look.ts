import type { DemoRegistries } from "./keeper.js";

/** Commands that show the same without this product: other people's clients on the same registries. */
export async function lookYourself({ registries }: DemoRegistries, folder: string): Promise<string> {
  const tags = await tagsOf(registries[0]?.host ?? "");
  const auth = `${folder.split("/").at(-1) ?? folder}/docker-config.json`;
  const inspect = registries.map(
    ({ host }) =>
      `  skopeo inspect --raw --tls-verify=false --authfile ${auth} docker://${host}/tgoai/tgo-api:${tags["tgo-api"] ?? ""} | sha256sum`,
  );
  const host = registries[0]?.host ?? "";
  const lines = [
    "The same bytes in every registry (three equal sums: the digest of the report):",
    ...inspect,
    "The arm64 image on this machine:",
    `  buildah from --name look --tls-verify=false --platform linux/arm64 docker://${host}/tgoai/tgo-api:${tags["tgo-api"] ?? ""}`,
    `  buildah run --isolation chroot look -- python -c 'import platform; print(platform.machine())'; buildah rm look; buildah rmi ${host}/tgoai/tgo-api:${tags["tgo-api"] ?? ""}`,
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
