import * as z from "zod/mini";
import { PublicUrl } from "./public-url.js";
import { BaseImage } from "./base-image.js";

const AbsolutePath = z.string().check(z.regex(/^\/[^\0]*$/, "must be an absolute path"));
const RelativePath = z
  .string()
  .check(z.regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\0]+$/, "must be a path inside the source, without .."));
const Port = z.int().check(z.minimum(1), z.maximum(65535));
const Mode = z
  .string()
  .check(
    z.regex(/^0?[0-7]{3}$/, "must be an octal mode such as 0755"),
    z.describe("Octal file mode, e.g. 0755."),
  );
const Owner = z
  .string()
  .check(
    z.regex(/^\d+(:\d+)?$/, "must be numeric: names differ between base images"),
    z.describe("uid or uid:gid."),
  );
const Duration = z
  .string()
  .check(
    z.regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/, "must be a duration such as 30s or 1m30s"),
    z.describe("A duration, e.g. 30s."),
  );

const VariableName = z.string().check(z.regex(/^[A-Za-z_]\w*$/, "must be a variable name"));

/** Text whose {version}, {revision}, {created} and {service} are replaced when the image is built. */
const Template = z.string();

const FileCopy = z
  .strictObject({
    from: RelativePath.check(z.describe("Path in the service's source.")),
    to: AbsolutePath.check(z.describe("Path in the image.")),
    mode: z.optional(Mode),
    owner: z.optional(Owner),
  })
  .check(z.describe("A source file copied to another path in the image."));
export type FileCopy = z.infer<typeof FileCopy>;

const Healthcheck = z.strictObject({
  command: z
    .array(z.string())
    .check(z.minLength(1), z.describe("Command and arguments, run without a shell.")),
  interval: z._default(Duration, "30s"),
  timeout: z._default(Duration, "10s"),
  startPeriod: z._default(Duration, "30s"),
  retries: z._default(z.int().check(z.minimum(1)), 3),
});
export type Healthcheck = z.infer<typeof Healthcheck>;

const Image = z
  .strictObject({
    user: z
      .optional(z.string().check(z.minLength(1)))
      .check(z.describe("User the service runs as; numeric where possible.")),
    workdir: z.optional(AbsolutePath),
    env: z._default(z.record(VariableName, Template), {}),
    entrypoint: z.optional(z.array(z.string())).check(z.describe("Replaces the base image's entrypoint.")),
    command: z.optional(z.array(z.string())).check(z.describe("Command the image starts with.")),
    ports: z._default(z.array(Port), []),
    directories: z
      ._default(
        z.array(z.strictObject({ path: AbsolutePath, owner: z.optional(Owner), mode: z.optional(Mode) })),
        [],
      )
      .check(z.describe("Empty directories the service writes to.")),
    users: z
      ._default(
        z.array(
          z.strictObject({
            name: z.string().check(z.regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be a user name")),
            uid: z.int().check(z.minimum(1), z.maximum(65533)),
            gid: z
              .optional(z.int().check(z.minimum(1), z.maximum(65533)))
              .check(z.describe("Defaults to the uid.")),
            home: z._default(AbsolutePath, "/nonexistent"),
          }),
        ),
        [],
      )
      .check(z.describe("Users and groups added to /etc/passwd and /etc/group, with fixed ids.")),
    links: z
      ._default(z.array(z.strictObject({ path: AbsolutePath, target: z.string().check(z.minLength(1)) })), [])
      .check(z.describe("Symbolic links.")),
    files: z._default(z.array(FileCopy), []),
    healthcheck: z.optional(Healthcheck),
    labels: z._default(z.record(z.string(), Template), {}),
  })
  .check(z.describe("The image's configuration."));
export type Image = z.infer<typeof Image>;

const DebianPackage = z.string().check(z.regex(/^[a-z0-9][a-z0-9+.-]+$/, "must be a Debian package name"));

const Data = z.strictObject({
  command: z
    .array(z.string())
    .check(
      z.minLength(1),
      z.describe("Runs natively, once for all platforms, with the locked packages; must exit with 0."),
    ),
  output: AbsolutePath.check(
    z.describe(
      "Folder the command fills, copied to the same path in the image. Must not be empty afterwards.",
    ),
  ),
  package: z
    .optional(z.string().check(z.minLength(1)))
    .check(
      z.describe("The locked package that needs it; the entry is skipped when the lock has no such package."),
    ),
  platforms: z
    .optional(z.record(z.string(), z.record(VariableName, z.string())))
    .check(
      z.describe(
        "For data that differs by architecture: variables by platform, such as linux/arm64, that tell the command what " +
          "to fetch. It then runs once for each platform, still natively.",
      ),
    ),
});

const PythonBuild = z
  .strictObject({
    strategy: z.literal("python"),
    base: z._default(BaseImage, "docker.io/library/python:3.11-slim"),
    packages: z._default(z.array(DebianPackage), []).check(z.describe("Debian packages needed at run time.")),
    lock: z
      .optional(
        z
          .string()
          .check(
            z.regex(
              /^(?:poetry\.lock|uv\.lock|[\w.-]+\.txt)$/,
              "must be poetry.lock, uv.lock or a requirements file (.txt)",
            ),
          ),
      )
      .check(
        z.describe("The lock file; by default the first found of poetry.lock, uv.lock and requirements.txt."),
      ),
    groups: z
      ._default(z.array(z.string()), ["main"])
      .check(z.describe("Dependency groups to install; main is the project's own dependencies.")),
    buildPackages: z
      ._default(z.array(DebianPackage), [])
      .check(
        z.describe(
          "Debian packages needed to compile locked packages without a wheel, e.g. libpq-dev. Never shipped.",
        ),
      ),
    data: z
      ._default(z.array(Data), [])
      .check(z.describe("Data that comes with no wheel, such as NLTK corpora.")),
    environment: z
      ._default(AbsolutePath, "/app/.venv")
      .check(z.describe("Where the locked packages are installed.")),
    exclude: z
      ._default(z.array(z.string()), [])
      .check(z.describe("Source paths to leave out, in addition to .dockerignore.")),
  })
  .check(
    z.describe("A Python service with locked packages: poetry.lock, uv.lock, or requirements with hashes."),
  );
export type PythonBuild = z.infer<typeof PythonBuild>;

const StaticWebBuild = z
  .strictObject({
    strategy: z.literal("static-web"),
    builder: z._default(BaseImage, "docker.io/library/node:20-alpine"),
    base: z._default(BaseImage, "docker.io/library/nginx:alpine"),
    script: z
      ._default(z.string().check(z.minLength(1)), "build")
      .check(z.describe("The package.json script that builds.")),
    output: z._default(RelativePath, "dist").check(z.describe("Folder the script writes.")),
    root: z._default(AbsolutePath, "/usr/share/nginx/html").check(z.describe("Folder nginx serves.")),
    singlePage: z
      ._default(z.boolean(), true)
      .check(
        z.describe(
          "Whether nginx serves index.html for paths without a file; applies unless image.files contains an nginx configuration.",
        ),
      ),
    values: z
      ._default(
        z.record(
          z.string().check(z.regex(/^[A-Z_][A-Z0-9_]*$/, "must be an upper-case variable name")),
          z.strictObject({
            default: z
              .optional(Template)
              .check(z.describe("Used unless --value gives one; without a default, a value is required.")),
            description: z.optional(z.string()),
          }),
        ),
        {},
      )
      .check(z.describe("Build values compiled into the pages, such as VITE_API_BASE_URL.")),
  })
  .check(z.describe("Pages built once by Node, served by nginx on every platform."));
export type StaticWebBuild = z.infer<typeof StaticWebBuild>;

const DockerfileBuild = z
  .strictObject({
    strategy: z.literal("dockerfile"),
    file: z._default(RelativePath, "Dockerfile"),
    target: z.optional(z.string().check(z.minLength(1))),
    args: z
      ._default(z.record(z.string(), Template), {})
      .check(z.describe("Build arguments; --value NAME=... replaces one.")),
    secrets: z
      ._default(z.array(z.string().check(z.regex(/^[A-Za-z_][\w.-]*$/, "must be a secret's id"))), [])
      .check(
        z.describe(
          "Ids of secrets used by its RUN --mount=type=secret lines; values come from --build-secrets.",
        ),
      ),
  })
  .check(z.describe("The service's own Dockerfile. Its RUN lines for a foreign platform are emulated."));
export type DockerfileBuild = z.infer<typeof DockerfileBuild>;

export type Build = PythonBuild | StaticWebBuild | DockerfileBuild;

const Smoke = z
  .strictObject({
    http: z
      ._default(
        z.array(
          z.strictObject({
            port: Port,
            path: z.string().check(z.startsWith("/")),
            status: z._default(z.int().check(z.minimum(100), z.maximum(599)), 200),
          }),
        ),
        [],
      )
      .check(z.describe("Requests the started service must answer.")),
    exec: z
      ._default(z.array(z.array(z.string()).check(z.minLength(1))), [])
      .check(z.describe("Commands that must exit 0 in the image.")),
    imports: z
      ._default(z.boolean(), true)
      .check(z.describe("python: whether to import every top-level module of every locked package.")),
    skipImports: z
      ._default(z.array(z.string()), [])
      .check(
        z.describe(
          "python: top-level modules that cannot be imported on their own, such as plug-ins that need their host.",
        ),
      ),
    env: z
      ._default(z.record(VariableName, z.string()), {})
      .check(
        z.describe(
          "Variables the service needs to start, such as DATABASE_URL; set in smoke runs only, never in the image.",
        ),
      ),
    machine: z
      .optional(z.array(z.string()).check(z.minLength(1)))
      .check(
        z.describe(
          "Command that prints the machine, e.g. aarch64; the default depends on the build strategy.",
        ),
      ),
    timeoutSeconds: z
      ._default(z.int().check(z.minimum(1), z.maximum(3600)), 180)
      .check(z.describe("Seconds the service has to answer, emulated or not.")),
  })
  .check(z.describe("Smoke run: how a built image is tested by starting it."));
export type Smoke = z.infer<typeof Smoke>;

/** What is built: how a service's source becomes an image, and how that image is configured and tested. */
export const Service = z
  .strictObject({
    $schema: z.optional(z.string()),
    title: z.string().check(z.minLength(1)),
    description: z.optional(z.string()),
    source: z.prefault(
      z.strictObject({
        repository: z
          ._default(PublicUrl, "https://github.com/tgoai/tgo")
          .check(z.describe("Git repository of the source.")),
        path: z
          .optional(RelativePath)
          .check(z.describe("Folder in the repository; repos/<service> when absent.")),
      }),
      {},
    ),
    build: z.discriminatedUnion("strategy", [PythonBuild, StaticWebBuild, DockerfileBuild]),
    image: z.prefault(Image, {}),
    smoke: z.prefault(Smoke, {}),
    allowForeign: z
      ._default(z.array(z.string()), [])
      .check(z.describe("Glob patterns of files that may be for another architecture, e.g. firmware.")),
  })
  .register(z.globalRegistry, {
    description: "A service and how its image is built, configured and checked.",
  });
export type Service = z.infer<typeof Service>;
