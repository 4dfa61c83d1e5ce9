import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hash } from "bcryptjs";
import { startFront } from "./front.js";
import { startRegistryProcess } from "./registry-process.js";
import { handleTokenRequest } from "./token-endpoint.js";
import { createTokenIssuer } from "./token-issuer.js";

export interface RegistryOptions {
  /** Authentication: none, HTTP Basic (htpasswd), or a Bearer token from `/token` on the same port. */
  readonly auth: "none" | "basic" | "bearer";
  /** `bearer` only: whether a client without credentials gets a token to pull. Default false. */
  readonly publicPull?: boolean;
  /**
   * `bearer` only: tokens are given for this OAuth2 refresh token alone, never for a password; as Azure's ACR does after
   * `az acr login`.
   */
  readonly identityToken?: string;
  /** `bearer` only: closes connections that were idle this long, in milliseconds. Default: never, as for the others. */
  readonly idleTimeoutMs?: number;
  /** Default: a free port. */
  readonly port?: number;
  /** Where blobs are stored. This directory outlives the registry; without one, the blobs are removed with it. */
  readonly storage?: string;
  /** Serves the storage and accepts no pushes. */
  readonly readOnly?: boolean;
  /**
   * Accepts only manifests with an image's config, as Aliyun's ACR does: distribution's `policy.repository.classes`.
   * Indexes are accepted whatever they list.
   */
  readonly imagesOnly?: boolean;
  /** Default "tgo". */
  readonly username?: string;
  /** Default: a random one on each start. */
  readonly password?: string;
}

export interface LocalRegistry {
  /** `localhost:PORT`: what image references begin with. */
  readonly host: string;
  /** `http://localhost:PORT`. */
  readonly url: string;
  readonly auth: RegistryOptions["auth"];
  readonly username?: string;
  readonly password?: string;
  readonly storage: string;
  /** Stops the registry, frees its port and removes its temporary files. */
  readonly stop: () => Promise<void>;
  /** The end of the registry's log. */
  readonly logs: () => string;
}

/** bcrypt's smallest cost: the registry checks the password on every request. */
const BCRYPT_COST = 4;

/**
 * Starts a real registry (distribution 2.8, Debian's `docker-registry`) on loopback. It dies with this process.
 * @throws TgoError ENVIRONMENT when it cannot be started
 */
export async function startRegistry(options: RegistryOptions): Promise<LocalRegistry> {
  const dir = mkdtempSync(join(tmpdir(), "tgo-registry-"));
  const discard = discardAtExit(dir);
  const storage = options.storage ?? join(dir, "storage");
  await mkdir(storage, { recursive: true });

  const username = options.username ?? "tgo";
  const password = options.password ?? randomBytes(18).toString("base64url");
  const config = {
    version: "0.1",
    log: { level: "info", formatter: "text", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: storage },
      cache: { blobdescriptor: "inmemory" },
      delete: { enabled: true },
      maintenance: {
        uploadpurging: { enabled: false },
        readonly: { enabled: options.readOnly ?? false },
      },
    },
    ...(options.imagesOnly === true ? { policy: { repository: { classes: ["image"] } } } : {}),
  };
  const secret = randomBytes(16).toString("hex");

  const start = options.auth === "bearer" ? startBearer : startDirect;
  const started = await start({ dir, config, secret, username, password, options }).catch(
    (error: unknown) => {
      discard();
      throw error;
    },
  );

  return {
    host: `localhost:${started.port}`,
    url: `http://localhost:${started.port}`,
    auth: options.auth,
    ...(options.auth === "none" ? {} : { username, password }),
    storage,
    logs: started.logs,
    stop: async () => {
      await started.stop();
      discard();
    },
  };
}

interface Start {
  readonly dir: string;
  readonly config: Record<string, unknown>;
  readonly secret: string;
  readonly username: string;
  readonly password: string;
  readonly options: RegistryOptions;
}

interface Started {
  readonly port: number;
  readonly stop: () => Promise<void>;
  readonly logs: () => string;
}

/** The registry itself listens on the port. */
async function startDirect({ dir, config, secret, username, password, options }: Start): Promise<Started> {
  const port = options.port ?? 0;
  const htpasswd = join(dir, "htpasswd");
  if (options.auth === "basic") {
    await writeFile(htpasswd, `${username}:${await hash(password, BCRYPT_COST)}\n`, { mode: 0o600 });
  }
  const registry = await startRegistryProcess(
    dir,
    { port },
    {
      ...config,
      http: { addr: `127.0.0.1:${port}`, secret },
      ...(options.auth === "basic" ? { auth: { htpasswd: { realm: "tgo", path: htpasswd } } } : {}),
    },
  );
  return registry;
}

/** A front end of ours listens on the port, because the registry program has no token endpoint. */
async function startBearer({ dir, config, secret, username, password, options }: Start): Promise<Started> {
  const service = "tgo-testbed";
  const issuer = await createTokenIssuer("tgo-testbed-issuer");
  const bundle = join(dir, "token-certificate.pem");
  await writeFile(bundle, issuer.certificate);
  const socket = join(dir, "registry.sock");
  const publicPull = options.publicPull ?? false;
  const { idleTimeoutMs } = options;
  const front = await startFront(
    { port: options.port ?? 0, socket, ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }) },
    (req, res) =>
      handleTokenRequest(req, res, {
        ...{ issuer, service, username, password, publicPull },
        ...(options.identityToken === undefined ? {} : { identityToken: options.identityToken }),
      }),
  );
  try {
    const registry = await startRegistryProcess(
      dir,
      { socket },
      {
        ...config,
        http: { net: "unix", addr: socket, secret },
        auth: {
          token: {
            realm: `http://localhost:${front.port}/token`,
            service,
            issuer: "tgo-testbed-issuer",
            rootcertbundle: bundle,
          },
        },
      },
    );
    return {
      port: front.port,
      logs: registry.logs,
      stop: async () => {
        await front.close();
        await registry.stop();
      },
    };
  } catch (error) {
    await front.close();
    throw error;
  }
}

const leftovers = new Set<string>();
let removesLeftovers = false;

/** @returns a function that removes the directory now; otherwise it is removed when the process ends */
function discardAtExit(dir: string): () => void {
  const remove = (path: string): void => {
    rmSync(path, { recursive: true, force: true });
  };
  if (!removesLeftovers) {
    process.once("exit", () => {
      leftovers.forEach(remove);
    });
    removesLeftovers = true;
  }
  leftovers.add(dir);
  return () => {
    remove(dir);
    leftovers.delete(dir);
  };
}
