import type { Report, ServiceReport, VariantReport } from "../src/index.js";

export const DIGEST = `sha256:${"a1b2c3d4e5f6".repeat(6).slice(0, 64)}`;
export const OTHER = `sha256:${"0f".repeat(32)}`;
const TAG = "candidate-0123456789abcdef";

const HOSTS = {
  ghcr: "ghcr.io/tgoai/tgo-deploy",
  dockerhub: "docker.io/tgoai",
  acr: "registry.cn-shanghai.aliyuncs.com/tgoai",
};

export function variant(platform: string, machine: string): VariantReport {
  return {
    platform,
    digest: OTHER,
    size: 56_833_638,
    elf: { files: 9120, elf: 812, foreign: [] },
    smoke: {
      ok: true,
      machine,
      lines: ["GET :8000/health 200", "GET :8001/health 200"],
      recorded: false,
      durationMs: 1234,
    },
  };
}

export function service(name: string, change: Partial<ServiceReport> = {}): ServiceReport {
  return {
    service: name,
    state: "published",
    revision: "3f2a9c1d5e7b8a6f4c2d1e0f9a8b7c6d5e4f3a2b",
    tag: TAG,
    digest: DIGEST,
    variants: [variant("linux/amd64", "x86_64"), variant("linux/arm64", "aarch64")],
    registries: Object.entries(HOSTS).map(([registry, host]) => ({
      registry,
      reference: `${host}/${name}:${TAG}`,
      state: "done",
      digest: DIGEST,
      uploaded: 35_861_299,
      problems: [],
      durationMs: 3100,
    })),
    problems: [],
    notes: [],
    durationMs: 38_400,
    ...change,
  };
}

export function report(change: Partial<Report> = {}): Report {
  return {
    command: "publish",
    ok: true,
    engine: "local engine (Buildah 1.28.2)",
    pipeline: "89abcdef01234567",
    durationMs: 41_234,
    services: [service("tgo-api"), service("tgo-web")],
    ...change,
  };
}

/** A copy of an object without some of its fields. */
export function without<T extends object, K extends keyof T>(value: T, ...fields: K[]): Omit<T, K> {
  const copy = { ...value };
  for (const field of fields) Reflect.deleteProperty(copy, field);
  return copy;
}

const DENIED = {
  code: "UNAUTHORIZED",
  what: 'the registry refused the password of user "robot"',
  remedy: "docker login registry.cn-shanghai.aliyuncs.com\nthen run the same command again",
} as const;

/** One registry rejected both services, one was never reached, and a variant contains a foreign file. */
export function failedReport(): Report {
  const broken = (name: string): ServiceReport => {
    const whole = service(name, { state: "failed", notes: ["The Dockerfile was emulated."] });
    const [ghcr, dockerhub, acr] = whole.registries;
    if (ghcr === undefined || dockerhub === undefined || acr === undefined)
      throw new Error("three registries");
    return {
      ...whole,
      registries: [
        { ...ghcr, state: "already there", uploaded: 0 },
        { ...without(dockerhub, "digest", "uploaded"), state: "not started" },
        { ...without(acr, "digest"), state: "failed", problems: [{ ...DENIED, where: acr.reference }] },
      ],
    };
  };
  return report({
    ok: false,
    services: [broken("tgo-api"), broken("tgo-web"), service("tgo-rag")],
    next: "npx --no-install tgo publish --service tgo-api,tgo-web",
  });
}
