import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A package.json and the other files of a package. */
export interface PackageSource {
  readonly name: string;
  readonly version: string;
  readonly fields?: object;
  readonly files: Readonly<Record<string, string>>;
}

export interface NpmRegistry {
  readonly url: string;
  /** `sha512-<base64>` of a package, as locks hold it. */
  readonly integrity: (name: string) => string;
  /** Requested paths, with the Authorization header sent. */
  readonly requests: readonly { readonly path: string; readonly authorization: string | undefined }[];
  readonly stop: () => Promise<void>;
}

/**
 * Starts an npm registry on this machine with a few packages.
 * @param fetched `name@version` of packages to download from npm's own registry first
 * @see https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
 */
export async function startNpmRegistry(
  sources: readonly PackageSource[],
  fetched: readonly string[] = [],
): Promise<NpmRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-npm-"));
  const archives = await Promise.all([
    ...sources.map(async (source) => ({ ...source, data: await pack(folder, source) })),
    ...fetched.map((id) => fetchPackage(folder, id)),
  ]);
  await rm(folder, { recursive: true });
  const sri = (data: Buffer): string => `sha512-${createHash("sha512").update(data).digest("base64")}`;
  const requests: NpmRegistry["requests"][number][] = [];
  let url = "";
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    requests.push({ path, authorization: request.headers.authorization });
    const [name = "", file] = path.slice(1).split("/-/");
    const known = archives.find((archive) => archive.name === name);
    if (known === undefined) {
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":"Not found"}');
    } else if (file !== undefined) {
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(known.data);
    } else {
      const { version, fields, data } = known;
      const dist = { tarball: `${url}/${name}/-/${name}-${version}.tgz`, integrity: sri(data) };
      const versions = { [version]: { ...fields, name, version, dist } };
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    integrity: (name) => sri(archives.find((archive) => archive.name === name)?.data ?? Buffer.of()),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

async function pack(folder: string, { name, version, fields, files }: PackageSource): Promise<Buffer> {
  const root = join(folder, name, "package");
  await mkdir(root, { recursive: true });
  for (const [path, text] of Object.entries({
    ...files,
    "package.json": JSON.stringify({ ...fields, name, version }),
  })) {
    await writeFile(join(root, path), text);
  }
  const archive = join(folder, `${name}.tgz`);
  await execute("tar", ["-czf", archive, "-C", join(folder, name), "package"]);
  return readFile(archive);
}

async function fetchPackage(folder: string, id: string): Promise<PackageSource & { readonly data: Buffer }> {
  const [name = "", version = ""] = id.split("@");
  const own = join(folder, `fetched-${name}`);
  await mkdir(own);
  await execute("npm", ["pack", "--silent", id], { cwd: own });
  const [file = ""] = await readdir(own);
  const { stdout } = await execute("tar", ["-xzOf", join(own, file), "package/package.json"]);
  return {
    name,
    version,
    fields: JSON.parse(stdout) as object,
    files: {},
    data: await readFile(join(own, file)),
  };
}
