import * as z from "zod";
import { BaseImage } from "./base-image.js";

const AbsolutePath = z.string().regex(/^\/[^\0]*$/, "must be an absolute path");
const RelativePath = z
  .string()
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\0]+$/, "must be a path inside the source, without ..");
const Port = z.int().min(1).max(65535);
const Mode = z
  .string()
  .regex(/^0?[0-7]{3}$/, "must be an octal mode such as 0755")
  .describe("Octal file mode, e.g. 0755.");
const Owner = z
  .string()
  .regex(/^\d+(:\d+)?$/, "must be numeric: names differ between base images")
  .describe("uid or uid:gid.");
const Duration = z
  .string()
  .regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/, "must be a duration such as 30s or 1m30s")
  .describe("A duration, e.g. 30s.");

const VariableName = z.string().regex(/^[A-Za-z_]\w*$/, "must be a variable name");

/** A text in which {version}, {revision}, {created} and {service} are filled in when the image is built. */
const Template = z.string();

const FileCopy = z
  .strictObject({
    from: RelativePath.describe("Path in the service's source."),
    to: AbsolutePath.describe("Path in the image."),
    mode: Mode.optional(),
    owner: Owner.optional(),
  })
  .describe("A file of the source put somewhere else in the image.");
export type FileCopy = z.infer<typeof FileCopy>;

const Healthcheck = z.strictObject({
  command: z.array(z.string()).min(1).describe("Command and arguments, run without a shell."),
  interval: Duration.default("30s"),
  timeout: Duration.default("10s"),
  startPeriod: Duration.default("30s"),
  retries: z.int().min(1).default(3),
});
export type Healthcheck = z.infer<typeof Healthcheck>;

const Image = z
  .strictObject({
    user: z.string().min(1).optional().describe("User the service runs as; numeric where possible."),
    workdir: AbsolutePath.optional(),
    env: z.record(VariableName, Template).default({}),
    entrypoint: z.array(z.string()).optional().describe("Replaces the base image's entrypoint."),
    command: z.array(z.string()).optional().describe("The command the image starts with."),
    ports: z.array(Port).default([]),
    directories: z
      .array(z.strictObject({ path: AbsolutePath, owner: Owner.optional(), mode: Mode.optional() }))
      .default([])
      .describe("Empty directories the service writes to."),
    users: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be a user name"),
          uid: z.int().min(1).max(65533),
          gid: z.int().min(1).max(65533).optional().describe("As the uid when absent."),
          home: AbsolutePath.default("/nonexistent"),
        }),
      )
      .default([])
      .describe(
        "Users and their groups added to /etc/passwd and /etc/group; uids are given, so that they stay.",
      ),
    links: z
      .array(z.strictObject({ path: AbsolutePath, target: z.string().min(1) }))
      .default([])
      .describe("Symbolic links."),
    files: z.array(FileCopy).default([]),
    healthcheck: Healthcheck.optional(),
    labels: z.record(z.string(), Template).default({}),
  })
  .describe("What the image's configuration says.");
export type Image = z.infer<typeof Image>;

const DebianPackage = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, "must be a Debian package name");

const Data = z.strictObject({
  command: z
    .array(z.string())
    .min(1)
    .describe("Run natively, once for all platforms, with the locked packages; must exit with 0."),
  output: AbsolutePath.describe("The folder it fills, at the same path in the image. Must not end empty."),
  package: z
    .string()
    .min(1)
    .optional()
    .describe("The locked package it is for: where the lock has no such package, the entry is left out."),
  platforms: z
    .record(z.string(), z.record(VariableName, z.string()))
    .optional()
    .describe(
      "For data that differs by machine: variables of each platform, such as linux/arm64, that tell the command which " +
        "machine to fetch for. It then runs once for each platform, natively all the same.",
    ),
});

const PythonBuild = z
  .strictObject({
    strategy: z.literal("python"),
    base: BaseImage.default("docker.io/library/python:3.11-slim"),
    packages: z.array(DebianPackage).default([]).describe("Debian packages needed at run time."),
    lock: z
      .string()
      .regex(
        /^(?:poetry\.lock|uv\.lock|[\w.-]+\.txt)$/,
        "must be poetry.lock, uv.lock or a requirements file (.txt)",
      )
      .optional()
      .describe("The lock; the first there is of poetry.lock, uv.lock and requirements.txt when absent."),
    groups: z
      .array(z.string())
      .default(["main"])
      .describe("Dependency groups that ship; main are the project's own dependencies."),
    buildPackages: z
      .array(DebianPackage)
      .default([])
      .describe(
        "Debian packages needed to compile locked packages without a wheel, e.g. libpq-dev. Never shipped.",
      ),
    data: z.array(Data).default([]).describe("Data that no wheel brings, such as NLTK corpora."),
    environment: AbsolutePath.default("/app/.venv").describe("Where the locked packages are installed."),
    exclude: z.array(z.string()).default([]).describe("Source paths that do not ship, beyond .dockerignore."),
  })
  .describe("A Python service with locked packages: poetry.lock, uv.lock, or requirements with hashes.");
export type PythonBuild = z.infer<typeof PythonBuild>;

const StaticWebBuild = z
  .strictObject({
    strategy: z.literal("static-web"),
    builder: BaseImage.default("docker.io/library/node:20-alpine"),
    base: BaseImage.default("docker.io/library/nginx:alpine"),
    script: z.string().min(1).default("build").describe("The package.json script that builds."),
    output: RelativePath.default("dist").describe("The folder that script writes."),
    root: AbsolutePath.default("/usr/share/nginx/html").describe("Where nginx serves it from."),
    singlePage: z
      .boolean()
      .default(true)
      .describe(
        "Whether paths without a file are answered with index.html; for the nginx configuration that is written when image.files brings none.",
      ),
    values: z
      .record(
        z.string().regex(/^[A-Z_][A-Z0-9_]*$/, "must be an upper-case variable name"),
        z.strictObject({
          default: Template.optional().describe(
            "Used when --value does not give one; without it a value is required.",
          ),
          description: z.string().optional(),
        }),
      )
      .default({})
      .describe("Build values compiled into the pages, such as VITE_API_BASE_URL."),
  })
  .describe("Pages built once by Node, served by nginx on every platform.");
export type StaticWebBuild = z.infer<typeof StaticWebBuild>;

const DockerfileBuild = z
  .strictObject({
    strategy: z.literal("dockerfile"),
    file: RelativePath.default("Dockerfile"),
    target: z.string().min(1).optional(),
    args: z
      .record(z.string(), Template)
      .default({})
      .describe("Build arguments; --value NAME=... replaces one."),
    secrets: z
      .array(z.string().regex(/^[A-Za-z_][\w.-]*$/, "must be a secret's id"))
      .default([])
      .describe("Ids of secrets its RUN --mount=type=secret lines use; values come from --build-secrets."),
  })
  .describe("The service's own Dockerfile. Its RUN lines for a foreign platform are emulated.");
export type DockerfileBuild = z.infer<typeof DockerfileBuild>;

export type Build = PythonBuild | StaticWebBuild | DockerfileBuild;

const Smoke = z
  .strictObject({
    http: z
      .array(
        z.strictObject({
          port: Port,
          path: z.string().startsWith("/"),
          status: z.int().min(100).max(599).default(200),
        }),
      )
      .default([])
      .describe("Requests the started service must answer."),
    exec: z.array(z.array(z.string()).min(1)).default([]).describe("Commands that must exit 0 in the image."),
    imports: z
      .boolean()
      .default(true)
      .describe("python: whether every top-level module of every locked package is imported."),
    skipImports: z
      .array(z.string())
      .default([])
      .describe(
        "python: top-level modules that cannot be imported on their own, such as plug-ins that need their host.",
      ),
    env: z
      .record(VariableName, z.string())
      .default({})
      .describe(
        "Variables a service does not start without, such as DATABASE_URL; of smoke runs only, never in the image.",
      ),
    machine: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("Command that prints the machine, e.g. aarch64; by default by build strategy."),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(3600)
      .default(180)
      .describe("Time for the service to answer, emulated or not."),
  })
  .describe("How a started image proves that it works.");
export type Smoke = z.infer<typeof Smoke>;

/** What is shipped: how a service's source becomes an image, and how that image proves itself. */
export const Service = z
  .strictObject({
    $schema: z.string().optional(),
    title: z.string().min(1),
    description: z.string().optional(),
    source: z
      .strictObject({
        repository: z.url().default("https://github.com/tgoai/tgo").describe("Git repository of the source."),
        path: RelativePath.optional().describe("Folder in it; repos/<service> when absent."),
      })
      .prefault({}),
    build: z.discriminatedUnion("strategy", [PythonBuild, StaticWebBuild, DockerfileBuild]),
    image: Image.prefault({}),
    smoke: Smoke.prefault({}),
    allowForeign: z
      .array(z.string())
      .default([])
      .describe("Glob patterns of files that may be for another machine, e.g. firmware."),
  })
  .describe("A service and how its image is built, configured and checked.");
export type Service = z.infer<typeof Service>;
