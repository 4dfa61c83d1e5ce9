import { applyOverride, parseOverrideFile, type Catalog } from "@tgo/catalog";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { draftCatalog, readCheckout, type Ask, type CatalogFile, type DraftOptions } from "../src/index.js";

const root = await mkdtemp(join(tmpdir(), "tgo-scaffold-"));
afterAll(() => rm(root, { recursive: true, force: true }));

let count = 0;

type Files = Readonly<Record<string, string>>;

const defaults: Ask = ({ fallback }) => Promise.resolve(fallback);

async function draft(
  files: Files,
  options: Partial<DraftOptions> = {},
): Promise<CatalogFile & { readonly catalog: Catalog }> {
  const folder = join(root, String(count++));
  await mkdir(folder);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const file = await draftCatalog(await readCheckout(folder), {
    ...{ name: "my-bot", folder, remote: undefined, registries: [], ask: defaults },
    ...options,
  });
  // Whatever was found: the loader accepts what is written.
  const catalog = applyOverride({ services: {} }, parseOverrideFile(file.text, "tgo.catalog.jsonc"));
  return { ...file, catalog };
}

const FASTAPI = `from fastapi import FastAPI\n\napp = FastAPI(title="Bot")\n\n@app.get("/healthz")\ndef health(): return {}\n`;
const POETRY: Files = {
  "pyproject.toml": `[tool.poetry]\nname = "my-bot"\n[tool.poetry.dependencies]\npython = "^3.12"\n`,
  "poetry.lock": `[[package]]\nname = "uvicorn"\n`,
  "bot/main.py": FASTAPI,
};
const VITE: Files = {
  "package.json": JSON.stringify({
    name: "@me/pages",
    scripts: { build: "vite build" },
    devDependencies: { vite: "5" },
  }),
  "package-lock.json": "{}",
};

describe("a Dockerfile", () => {
  const files: Files = {
    Dockerfile: [
      ..."FROM golang AS build|RUN go build|FROM debian|ARG PORT=8080|ENV LISTEN=$PORT|EXPOSE $PORT/tcp 9090/udp".split(
        "|",
      ),
      "RUN --mount=type=secret,id=token true",
      "HEALTHCHECK --interval=5s CMD curl -f http://localhost:${PORT}/ready || exit 1",
      'CMD ["server"]',
    ].join("\n"),
  };

  it("is built unchanged, with its secrets, and its health check is requested in smoke runs", async () => {
    const { catalog, services } = await draft(files);
    expect(catalog.services["my-bot"]).toMatchObject({
      build: { strategy: "dockerfile", file: "Dockerfile", secrets: ["token"] },
      smoke: { http: [{ port: 8080, path: "/ready", status: 200 }] },
    });
    expect(services[0]?.draft.gaps).toEqual([]);
    expect(services[0]?.draft.reasons.build).toContain("2 RUN lines are emulated");
  });

  it.each([
    ['CMD ["curl", "-f", "http://localhost:81/up?a=1&b=2"]', { port: 81, path: "/up?a=1&b=2" }],
    ["CMD curl -f http://localhost:${PORT}/up || exit 1", { port: 3000, path: "/up" }],
  ])("is asked what HEALTHCHECK %s asks", async (check, request) => {
    const found = await draft({ Dockerfile: `FROM scratch\nENV PORT=3000\nHEALTHCHECK ${check}\n` });
    expect(found.catalog.services["my-bot"]?.smoke.http).toMatchObject([request]);
  });

  it("without a health check has the route of its program, else a gap that says what smoke runs leave out", async () => {
    const plain = { Dockerfile: "FROM scratch\nARG TOKEN\nEXPOSE 3000\n" };
    const found = await draft({ ...plain, "server.js": 'app.get("/health", ok)' });
    expect(found.catalog.services["my-bot"]?.smoke.http).toEqual([
      { port: 3000, path: "/health", status: 200 },
    ]);
    const { services, text } = await draft(plain);
    expect(services[0]?.draft.gaps).toEqual([
      expect.stringContaining("smoke.http"),
      expect.stringContaining("TOKEN (build.args)"),
    ]);
    expect(text).toMatch(/\/\/ Could not be told:\n\s+\/\/ - a request[^]*"my-bot": \{/);
  });
});

describe("a Python project", () => {
  it("is built natively from its lock, with its framework's command, port, health route and Python", async () => {
    const { catalog, text } = await draft(POETRY);
    expect(catalog.services["my-bot"]).toMatchObject({
      title: "My bot",
      build: { strategy: "python", base: "docker.io/library/python:3.12-slim" },
      image: { command: ["uvicorn", "bot.main:app", "--host", "0.0.0.0", "--port", "8000"], ports: [8000] },
      smoke: { http: [{ port: 8000, path: "/healthz" }] },
    });
    expect(text).toContain("// From bot/main.py.");
  });

  it.each([
    [">=3.9", undefined],
    [">=3.10,<4", undefined],
    ["^3.11", undefined],
    ["~3.9", 9],
    [">=3.8,<3.11", 10],
    ["==3.13.*", 13],
    [">=3.13", 13],
  ])("that wants Python %s has that of the base image", async (requires, minor) => {
    const { catalog } = await draft({
      "pyproject.toml": `[project]\nname = "x"\nrequires-python = "${requires}"\n`,
      "uv.lock": "",
    });
    const base = `docker.io/library/python:3.${minor ?? 11}-slim`;
    expect(catalog.services["my-bot"]?.build).toMatchObject({ base });
  });

  it("with a Dockerfile is built by that, or natively with its packages and command if the caller says so", async () => {
    const files = {
      ...POETRY,
      Dockerfile: `FROM python:3.12 AS b\nRUN apt-get install -y gcc\nFROM python:3.12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends libpq-dev libmagic1 curl && rm -rf /x\nEXPOSE 9000\nCMD ["uvicorn", "bot.main:app", "--port", "9000"]\n`,
    };
    expect((await draft(files)).catalog.services["my-bot"]?.build.strategy).toBe("dockerfile");
    const asked: string[] = [];
    const { catalog } = await draft(files, {
      ask: ({ text, choices, fallback }) => {
        asked.push(text);
        return Promise.resolve(choices?.includes("python") === true ? "python" : fallback);
      },
    });
    expect(asked).toEqual([
      expect.stringContaining("How my-bot is built"),
      expect.stringContaining("Registry"),
    ]);
    expect(catalog.services["my-bot"]).toMatchObject({
      build: { strategy: "python", packages: ["curl", "libmagic1"] },
      image: { command: ["uvicorn", "bot.main:app", "--port", "9000"], ports: [9000] },
      smoke: { http: [{ port: 9000, path: "/healthz" }] },
    });
  });
});

describe("pages", () => {
  it("are built once, and served by nginx", async () => {
    const { catalog, services } = await draft({
      ...VITE,
      "vite.config.ts": 'export default { build: { outDir: "./public/out" } }',
      ".env.example": "VITE_API=\nOTHER=\n",
    });
    expect(catalog.services["my-bot"]).toMatchObject({
      build: { strategy: "static-web", output: "public/out" },
      image: { ports: [80] },
    });
    expect(services[0]?.draft.gaps).toEqual([expect.stringContaining("VITE_API")]);
  });

  it.each([
    ["no lock", { "package-lock.json": undefined }, "without package-lock.json"],
    ["two locks", { "yarn.lock": "" }, "several locks"],
    ["yarn 2", { "package-lock.json": undefined, "yarn.lock": "__metadata:\n" }, "yarn 2"],
    [
      "bun",
      {
        "package.json": JSON.stringify({
          scripts: { build: "vite" },
          dependencies: { vite: "5" },
          packageManager: "bun@1.2.0",
        }),
      },
      "bun",
    ],
    [
      "workspaces",
      {
        "package.json": JSON.stringify({
          scripts: { build: "vite" },
          dependencies: { vite: "5" },
          workspaces: [],
        }),
      },
      "workspaces",
    ],
    ["a server", { "package.json": JSON.stringify({ scripts: { start: "node ." } }) }, "starts a server"],
  ])("with %s are left out, and said to be", async (_, change, why) => {
    const files = Object.fromEntries(
      Object.entries({ ...VITE, ...change }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    );
    await expect(draft(files)).rejects.toMatchObject({
      code: "SOURCE",
      what: expect.stringContaining(why) as string,
    });
  });
});

describe("several services", () => {
  const files: Files = {
    "docker-compose.yml": `services:
  db: { image: postgres:16, ports: ["5432:5432"] }
  api:
    build: { context: ./backend, dockerfile: Dockerfile.prod, target: run }
    image: registry.example.com/team/shop-api:\${TAG:-latest}
    ports: ["127.0.0.1:8080:8000"]
    healthcheck: { test: ["CMD-SHELL", "curl -f http://localhost:8000/health || exit 1"] }
    environment: [DATABASE_URL=postgres://secret@db, DEBUG]
  worker: { image: "registry.example.com/team/shop-api:latest" }
`,
    "backend/Dockerfile.prod": "FROM python AS run\n",
    "repos/web/package.json": VITE["package.json"] ?? "",
    "repos/web/package-lock.json": "{}",
    "docs/package.json": JSON.stringify({ scripts: { start: "x" } }),
    "tests/Dockerfile": "FROM scratch\n",
  };

  it("are those of compose files and of folders, where they are, and go where compose pulls from", async () => {
    const { catalog, leftOut, services } = await draft(files);
    expect(Object.keys(catalog.services)).toEqual(["shop-api", "web"]);
    expect(catalog.services["shop-api"]).toMatchObject({
      source: { path: "backend" },
      build: { strategy: "dockerfile", file: "Dockerfile.prod", target: "run" },
      smoke: { http: [{ port: 8000, path: "/health" }] },
    });
    expect(catalog.services.web?.source.path).toBeUndefined();
    expect(catalog.registries).toMatchObject({
      example: { host: "registry.example.com", repository: "team/{service}" },
    });
    expect(leftOut).toEqual([{ folder: "docs", why: expect.stringContaining("server") as string }]);
    const gaps = services[0]?.draft.gaps.join() ?? "";
    expect(gaps).toContain("DATABASE_URL, DEBUG");
    expect(gaps).not.toContain("secret");
  });

  it("can be chosen, and a name that is none is refused", async () => {
    const answer =
      (text: string): Ask =>
      ({ fallback }) =>
        Promise.resolve(fallback === "all" ? text : fallback);
    expect(Object.keys((await draft(files, { ask: answer("web") })).catalog.services)).toEqual(["web"]);
    await expect(draft(files, { ask: answer("wep") })).rejects.toMatchObject({ code: "USAGE" });
  });

  it("below a folder with a Dockerfile are a part of its image", async () => {
    const { catalog } = await draft({
      Dockerfile: "FROM scratch\n",
      "frontend/package.json": VITE["package.json"] ?? "",
      "frontend/package-lock.json": "{}",
    });
    expect(Object.keys(catalog.services)).toEqual(["my-bot"]);
  });
});

describe("a Dockerfile that is not where its source is", () => {
  const PYTHON = "FROM python\nCOPY services/api ./shared /app/\n";

  it("is built from the folder that has all it copies, and named after its own", async () => {
    const { catalog } = await draft({
      "services/api/Dockerfile": PYTHON,
      "services/api/main.py": "",
      "shared/a.py": "",
      "docker/Dockerfile": "FROM python\nCOPY --from=x /y /z\nCOPY shared dist /app/\n",
      "own/Dockerfile": "FROM python\nCOPY a.py /app/\n",
      "own/a.py": "",
      "lost/Dockerfile": "FROM python\nCOPY nowhere.py /app/\n",
    });
    const found = Object.entries(catalog.services).map(([name, { source, build }]) => [
      name,
      source.path,
      (build as { file?: string }).file,
    ]);
    expect(found).toEqual([
      ["my-bot", undefined, "docker/Dockerfile"],
      ["lost", "lost", "Dockerfile"],
      ["own", "own", "Dockerfile"],
      ["api", undefined, "services/api/Dockerfile"],
    ]);
  });

  it("is one service for each of a compose file that builds it; those of one image are one", async () => {
    const { catalog, leftOut } = await draft({
      "compose.yaml": `services:
  api: { build: { context: ., dockerfile: services/api/Dockerfile, args: [MODE=fast, "KEY=$KEY", OTHER=1] }, image: acme/api, ports: ["127.0.0.1:90-91:80-81"] }
  base: { build: ., profiles: [never] }
  web: { extends: { service: base }, healthcheck: { test: [CMD, curl, "http://localhost:81/ok"] } }
  jobs: { build: { context: ., dockerfile: services/api/Dockerfile }, image: acme/api }
  cron: { build: { context: ., dockerfile: services/api/Dockerfile, target: cron }, image: acme/cron }
`,
      Dockerfile: "FROM nginx\n",
      "services/api/Dockerfile": "FROM python\nARG MODE\nARG KEY\nCOPY . /app\nHEALTHCHECK NONE\n",
      "services/api/pyproject.toml": "",
      "services/api/uv.lock": "",
    });
    expect(leftOut).toEqual([]);
    expect(catalog.services).toMatchObject({
      api: { build: { file: "services/api/Dockerfile", args: { MODE: "fast" } } },
      cron: { build: { file: "services/api/Dockerfile", target: "cron" } },
      "my-bot": { smoke: { http: [{ port: 81, path: "/ok" }] } },
    });
    expect(Object.keys(catalog.services)).toHaveLength(3);
  });

  it.each([
    [{ Containerfile: "FROM x\n" }, "Containerfile"],
    [{ "Dockerfile.prod": "FROM x\n", "Dockerfile.dev": "FROM x\n" }, "Dockerfile.prod"],
    [{ Dockerfile: "FROM x\n", "Dockerfile.agent": "FROM x\n" }, "Dockerfile"],
  ])("has a usual name, or is the only one that is shipped: %o", async (files, file) => {
    expect((await draft(files)).catalog.services["my-bot"]?.build).toMatchObject({ file });
  });

  it("is asked for if there are several", async () => {
    const files = { "a.Dockerfile": "FROM x\n", "b.Dockerfile": "FROM x\n" };
    await expect(draft(files)).rejects.toMatchObject({
      what: expect.stringContaining("none of a.Dockerfile, b.Dockerfile is named Dockerfile") as string,
    });
  });
});

describe("projects that no strategy builds", () => {
  const npm = (fields: object, others: Files = {}): Files => ({
    "package.json": JSON.stringify({ scripts: { build: "x" }, devDependencies: { vite: "5" }, ...fields }),
    ...others,
  });
  it.each<[Files, string]>([
    [npm({}, { "bun.lock": "" }), "bun needs a Dockerfile"],
    [npm({ devDependencies: { next: "14" } }, { "package-lock.json": "{}" }), "starts a server"],
    [
      npm({}, { "package-lock.json": "{}", "vite.config.ts": 'x({ outDir: "../static" })' }),
      "../static, outside its folder",
    ],
    [
      { "pnpm-lock.yaml": "", "apps/web/package.json": npm({})["package.json"] ?? "" },
      "apps/web: it is part of a workspace",
    ],
    [{ "pyproject.toml": "[tool.uv.workspace]\n", "uv.lock": "" }, "a uv workspace"],
  ])("are told why: %o", async (files, why) => {
    await expect(draft(files)).rejects.toMatchObject({ what: expect.stringContaining(why) as string });
  });

  it("but pages of Next.js are exported, and Django is served by what is locked", async () => {
    const next = npm({ dependencies: { next: "14" }, devDependencies: {} }, { "yarn.lock": "" });
    const exported = await draft({ ...next, "next.config.mjs": 'export default { output: "export" }' });
    expect(exported.catalog.services["my-bot"]?.build).toMatchObject({ output: "out" });
    const django = { "pyproject.toml": "", "site/asgi.py": "application = get_asgi_application()\n" };
    const served = await draft({ ...django, "uv.lock": 'name = "uvicorn"\n' });
    expect(served.catalog.services["my-bot"]?.image.command?.slice(0, 2)).toEqual([
      "uvicorn",
      "site.asgi:application",
    ]);
    const unserved = await draft({ ...django, "uv.lock": "" });
    expect(unserved.services[0]?.draft.gaps.join()).toContain("image.command");
  });
});

describe("the registry", () => {
  it.each([
    ["https://token@github.com/Me/Bot.git", [["ghcr", "ghcr.io", "me/{service}"]]],
    ["git@github.com:me/bot", [["ghcr", "ghcr.io", "me/{service}"]]],
    [
      "ssh://git@gitlab.com/group/sub/bot.git",
      [["gitlab", "registry.gitlab.com", "group/sub/bot/{service}"]],
    ],
    ["https://git.example.com/me/bot", []],
    [undefined, []],
  ])("of remote %s", async (remote, expected) => {
    const { registries, text } = await draft({ Dockerfile: "FROM scratch" }, { remote });
    expect(registries.map(({ name, host, repository }) => [name, host, repository])).toEqual(expected);
    expect(text).not.toContain("token");
  });

  it("is the caller's if one is named", async () => {
    const { catalog } = await draft(
      { Dockerfile: "FROM scratch" },
      { registries: ["local=localhost:5000/me"] },
    );
    expect(catalog.registries.local).toMatchObject({ host: "localhost:5000", repository: "me/{service}" });
  });
});

it("a checkout without anything to ship is told what an image can be made from", async () => {
  await expect(draft({ "README.md": "#", "main.c": "" })).rejects.toMatchObject({
    code: "SOURCE",
    what: "there is nothing to ship",
    remedy: expect.stringContaining("Dockerfile") as string,
  });
  await expect(draft({ "pyproject.toml": "[project]\nname='x'" })).rejects.toMatchObject({
    what: expect.stringContaining("poetry lock") as string,
  });
});

it.each([
  ["pyproject.toml", "= nonsense", "poetry.lock"],
  ["package.json", "{", "Dockerfile"],
  ["docker-compose.yml", "a: [", "Dockerfile"],
  ["compose.yaml", "services: [1]", "Dockerfile"],
])("a damaged %s is no reason to fail", async (name, text, other) => {
  const { catalog } = await draft({ [name]: text, [other]: "FROM scratch\n" });
  expect(Object.keys(catalog.services)).toEqual(["my-bot"]);
});
