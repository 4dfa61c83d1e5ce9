import * as v from "@tgo/schemas";
import { PublicUrl } from "./public-url.js";
import { BaseImage } from "./base-image.js";

const AbsolutePath = v.pipe(v.string(), v.regex(/^\/[^\0]*$/, "must be an absolute path"));
const RelativePath = v.pipe(
  v.string(),
  v.regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\0]+$/, "must be a path inside the source, without .."),
);
const Port = v.wholeNumber(1, 65535);
const Mode = v.pipe(
  v.string(),
  v.regex(/^0?[0-7]{3}$/, "must be an octal mode such as 0755"),
  v.description("Octal file mode, e.g. 0755."),
);
const Owner = v.pipe(
  v.string(),
  v.regex(/^\d+(:\d+)?$/, "must be numeric: names differ between base images"),
  v.description("uid or uid:gid."),
);
const Duration = v.pipe(
  v.string(),
  v.regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/, "must be a duration such as 30s or 1m30s"),
  v.description("A duration, e.g. 30s."),
);

const VariableName = v.pipe(v.string(), v.regex(/^[A-Za-z_]\w*$/, "must be a variable name"));

/** Text whose {version}, {revision}, {created} and {service} are replaced when the image is built. */
const Template = v.string();

const FileCopy = v.pipe(
  v.strictObject({
    from: v.pipe(RelativePath, v.description("Path in the service's source.")),
    to: v.pipe(AbsolutePath, v.description("Path in the image.")),
    mode: v.optional(Mode),
    owner: v.optional(Owner),
  }),
  v.description("A source file copied to another path in the image."),
);
export type FileCopy = v.InferOutput<typeof FileCopy>;

const Healthcheck = v.strictObject({
  command: v.pipe(
    v.array(v.string()),
    v.nonEmpty(),
    v.description("Command and arguments, run without a shell."),
  ),
  interval: v.optional(Duration, "30s"),
  timeout: v.optional(Duration, "10s"),
  startPeriod: v.optional(Duration, "30s"),
  retries: v.optional(v.wholeNumber(1), 3),
});
export type Healthcheck = v.InferOutput<typeof Healthcheck>;

const Image = v.pipe(
  v.strictObject({
    user: v.pipe(
      v.optional(v.pipe(v.string(), v.nonEmpty())),
      v.description("User the service runs as; numeric where possible."),
    ),
    workdir: v.optional(AbsolutePath),
    env: v.optional(v.record(VariableName, Template), {}),
    entrypoint: v.pipe(
      v.optional(v.array(v.string())),
      v.description("Replaces the base image's entrypoint."),
    ),
    command: v.pipe(v.optional(v.array(v.string())), v.description("Command the image starts with.")),
    ports: v.optional(v.array(Port), []),
    directories: v.pipe(
      v.optional(
        v.array(v.strictObject({ path: AbsolutePath, owner: v.optional(Owner), mode: v.optional(Mode) })),
        [],
      ),
      v.description("Empty directories the service writes to."),
    ),
    users: v.pipe(
      v.optional(
        v.array(
          v.strictObject({
            name: v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be a user name")),
            uid: v.wholeNumber(1, 65533),
            gid: v.pipe(v.optional(v.wholeNumber(1, 65533)), v.description("Defaults to the uid.")),
            home: v.optional(AbsolutePath, "/nonexistent"),
          }),
        ),
        [],
      ),
      v.description("Users and groups added to /etc/passwd and /etc/group, with fixed ids."),
    ),
    links: v.pipe(
      v.optional(
        v.array(v.strictObject({ path: AbsolutePath, target: v.pipe(v.string(), v.nonEmpty()) })),
        [],
      ),
      v.description("Symbolic links."),
    ),
    files: v.optional(v.array(FileCopy), []),
    healthcheck: v.optional(Healthcheck),
    labels: v.optional(v.record(v.string(), Template), {}),
  }),
  v.description("The image's configuration."),
);
export type Image = v.InferOutput<typeof Image>;

const DebianPackage = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9+.-]+$/, "must be a Debian package name"));

const Data = v.strictObject({
  command: v.pipe(
    v.array(v.string()),
    v.nonEmpty(),
    v.description("Runs natively, once for all platforms, with the locked packages; must exit with 0."),
  ),
  output: v.pipe(
    AbsolutePath,
    v.description(
      "Folder the command fills, copied to the same path in the image. Must not be empty afterwards.",
    ),
  ),
  package: v.pipe(
    v.optional(v.pipe(v.string(), v.nonEmpty())),
    v.description(
      "The locked package that needs it; the entry is skipped when the lock has no such package.",
    ),
  ),
  platforms: v.pipe(
    v.optional(v.record(v.string(), v.record(VariableName, v.string()))),
    v.description(
      "For data that differs by architecture: variables by platform, such as linux/arm64, that tell the command what " +
        "to fetch. It then runs once for each platform, still natively.",
    ),
  ),
});

const BuildTimeout = v.pipe(
  v.optional(v.wholeNumber(1, 86_400)),
  v.description("Seconds the build of all platforms may take; 3600 by default."),
);

const PythonBuild = v.pipe(
  v.strictObject({
    strategy: v.literal("python"),
    timeoutSeconds: BuildTimeout,
    base: v.optional(BaseImage, "docker.io/library/python:3.11-slim"),
    packages: v.pipe(
      v.optional(v.array(DebianPackage), []),
      v.description("Debian packages needed at run time."),
    ),
    lock: v.pipe(
      v.optional(
        v.pipe(
          v.string(),
          v.regex(
            /^(?:poetry\.lock|uv\.lock|[\w.-]+\.txt)$/,
            "must be poetry.lock, uv.lock or a requirements file (.txt)",
          ),
        ),
      ),
      v.description(
        "The lock file; by default the first found of poetry.lock, uv.lock and requirements.txt.",
      ),
    ),
    groups: v.pipe(
      v.optional(v.array(v.string()), ["main"]),
      v.description("Dependency groups to install; main is the project's own dependencies."),
    ),
    buildPackages: v.pipe(
      v.optional(v.array(DebianPackage), []),
      v.description(
        "Debian packages needed to compile locked packages without a wheel, e.g. libpq-dev. Never shipped.",
      ),
    ),
    data: v.pipe(
      v.optional(v.array(Data), []),
      v.description("Data that comes with no wheel, such as NLTK corpora."),
    ),
    environment: v.pipe(
      v.optional(AbsolutePath, "/app/.venv"),
      v.description("Where the locked packages are installed."),
    ),
    exclude: v.pipe(
      v.optional(v.array(v.string()), []),
      v.description("Source paths to leave out, in addition to .dockerignore."),
    ),
  }),
  v.description("A Python service with locked packages: poetry.lock, uv.lock, or requirements with hashes."),
);
export type PythonBuild = v.InferOutput<typeof PythonBuild>;

const StaticWebBuild = v.pipe(
  v.strictObject({
    strategy: v.literal("static-web"),
    timeoutSeconds: BuildTimeout,
    builder: v.optional(BaseImage, "docker.io/library/node:20-alpine"),
    base: v.optional(BaseImage, "docker.io/library/nginx:alpine"),
    script: v.pipe(
      v.optional(v.pipe(v.string(), v.nonEmpty()), "build"),
      v.description("The package.json script that builds."),
    ),
    output: v.pipe(v.optional(RelativePath, "dist"), v.description("Folder the script writes.")),
    root: v.pipe(v.optional(AbsolutePath, "/usr/share/nginx/html"), v.description("Folder nginx serves.")),
    singlePage: v.pipe(
      v.optional(v.boolean(), true),
      v.description(
        "Whether nginx serves index.html for paths without a file; applies unless image.files contains an nginx configuration.",
      ),
    ),
    values: v.pipe(
      v.optional(
        v.record(
          v.pipe(v.string(), v.regex(/^[A-Z_][A-Z0-9_]*$/, "must be an upper-case variable name")),
          v.strictObject({
            default: v.pipe(
              v.optional(Template),
              v.description("Used unless --value gives one; without a default, a value is required."),
            ),
            description: v.optional(v.string()),
          }),
        ),
        {},
      ),
      v.description("Build values compiled into the pages, such as VITE_API_BASE_URL."),
    ),
  }),
  v.description("Pages built once by Node, served by nginx on every platform."),
);
export type StaticWebBuild = v.InferOutput<typeof StaticWebBuild>;

const DockerfileBuild = v.pipe(
  v.strictObject({
    strategy: v.literal("dockerfile"),
    timeoutSeconds: BuildTimeout,
    file: v.optional(RelativePath, "Dockerfile"),
    target: v.optional(v.pipe(v.string(), v.nonEmpty())),
    args: v.pipe(
      v.optional(v.record(v.string(), Template), {}),
      v.description("Build arguments; --value NAME=... replaces one."),
    ),
    secrets: v.pipe(
      v.optional(v.array(v.pipe(v.string(), v.regex(/^[A-Za-z_][\w.-]*$/, "must be a secret's id"))), []),
      v.description(
        "Ids of secrets used by its RUN --mount=type=secret lines; values come from --build-secrets.",
      ),
    ),
  }),
  v.description("The service's own Dockerfile. Its RUN lines for a foreign platform are emulated."),
);
export type DockerfileBuild = v.InferOutput<typeof DockerfileBuild>;

export type Build = PythonBuild | StaticWebBuild | DockerfileBuild;

const Command = v.pipe(v.array(v.string()), v.nonEmpty());

const SmokeCommand = v.strictObject({
  command: v.pipe(Command, v.description("Command and arguments, run without a shell.")),
  platforms: v.pipe(
    v.optional(v.picklist(["every", "one"]), "every"),
    v.description(
      "one: what the command tests is the same on every platform, so it runs on the engine's own alone, not under " +
        "emulation; every by default.",
    ),
  ),
});

const Smoke = v.pipe(
  v.strictObject({
    http: v.pipe(
      v.optional(
        v.array(
          v.strictObject({
            port: Port,
            path: v.pipe(v.string(), v.regex(/^\//, "must start with /")),
            status: v.optional(v.wholeNumber(100, 599), 200),
          }),
        ),
        [],
      ),
      v.description("Requests the started service must answer."),
    ),
    exec: v.pipe(
      v.optional(v.array(v.union([Command, SmokeCommand])), []),
      v.description(
        "Commands that must exit 0 in the image: on every platform, or an object that says platforms: one.",
      ),
    ),
    imports: v.pipe(
      v.optional(v.boolean(), true),
      v.description("python: whether to import every top-level module of every locked package."),
    ),
    skipImports: v.pipe(
      v.optional(v.array(v.string()), []),
      v.description(
        "python: top-level modules that cannot be imported on their own, such as plug-ins that need their host.",
      ),
    ),
    env: v.pipe(
      v.optional(v.record(VariableName, v.string()), {}),
      v.description(
        "Variables the service needs to start, such as DATABASE_URL; set in smoke runs only, never in the image.",
      ),
    ),
    machine: v.pipe(
      v.optional(v.pipe(v.array(v.string()), v.nonEmpty())),
      v.description(
        "Command that prints the machine, e.g. aarch64; the default depends on the build strategy.",
      ),
    ),
    timeoutSeconds: v.pipe(
      v.optional(v.wholeNumber(1, 3600), 180),
      v.description("Seconds each command may take and the service has to answer, emulated or not."),
    ),
  }),
  v.description("Smoke run: how a built image is tested by starting it."),
);
export type Smoke = v.InferOutput<typeof Smoke>;

/** What is built: how a service's source becomes an image, and how that image is configured and tested. */
export const Service = v.strictObject({
  $schema: v.optional(v.string()),
  title: v.pipe(v.string(), v.nonEmpty()),
  description: v.optional(v.string()),
  source: v.optional(
    v.strictObject({
      repository: v.pipe(
        v.optional(PublicUrl, "https://github.com/tgoai/tgo"),
        v.description("Git repository of the source."),
      ),
      path: v.pipe(
        v.optional(RelativePath),
        v.description("Folder in the repository; repos/<service> when absent."),
      ),
    }),
    {},
  ),
  build: v.variant("strategy", [PythonBuild, StaticWebBuild, DockerfileBuild]),
  image: v.optional(Image, {}),
  smoke: v.optional(Smoke, {}),
  allowForeign: v.pipe(
    v.optional(v.array(v.string()), []),
    v.description(
      "Glob patterns of files that may be for another architecture, or lack libraries, e.g. firmware.",
    ),
  ),
  allowDifferences: v.pipe(
    v.optional(v.array(v.pipe(v.string(), v.nonEmpty())), []),
    v.description(
      "Names of packages, and patterns of paths (with a leading slash), that only some platforms have and are meant to.",
    ),
  ),
});
export type Service = v.InferOutput<typeof Service>;
