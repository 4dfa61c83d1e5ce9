import { healthRequest, type PythonBuild, type Service } from "@tgo/catalog";

type Request = Service["smoke"]["http"][number];

/** A command, and whether it is to run on every platform or on one for all. */
export interface PlannedCommand {
  readonly command: readonly string[];
  readonly platforms: "every" | "one";
}

/** The smoke test of a variant: what its definition declares, and what can be derived from the rest of it. */
export interface SmokePlan {
  /** A command that prints the machine, like `uname -m`; undefined if the imports tell it. */
  readonly machine: readonly string[] | undefined;
  /** Commands that must exit with code 0. */
  readonly exec: readonly PlannedCommand[];
  /** The Python build whose packages are imported. */
  readonly imports: PythonBuild | undefined;
  /** Requests that the started service must answer; without any, it is not started. */
  readonly http: readonly Request[];
}

/**
 * Plans the smoke test of a service. Without a declared test, it still imports Python packages, checks nginx's configuration
 * and requests the URL of the health check, or the first page.
 */
export function smokePlan({ build, image, smoke }: Service): SmokePlan {
  const exec = smoke.exec.map((each) => ("command" in each ? each : onEvery(each)));
  const imports = build.strategy === "python" && smoke.imports ? build : undefined;
  return {
    machine: smoke.machine ?? (imports === undefined ? machineCommand(build) : undefined),
    exec: [...exec, ...defaultCommands(build).filter(({ command }) => !includes(exec, command))],
    imports,
    http: smoke.http.length > 0 ? smoke.http : defaultRequests(build, image),
  };
}

function machineCommand({ strategy }: Service["build"]): readonly string[] {
  return strategy === "python"
    ? ["python", "-c", "import platform; print(platform.machine())"]
    : ["uname", "-m"];
}

function defaultCommands({ strategy }: Service["build"]): readonly PlannedCommand[] {
  return strategy === "static-web" ? [onEvery(["nginx", "-t"])] : [];
}

function onEvery(command: readonly string[]): PlannedCommand {
  return { command, platforms: "every" };
}

function includes(commands: readonly PlannedCommand[], command: readonly string[]): boolean {
  return commands.some((each) => JSON.stringify(each.command) === JSON.stringify(command));
}

/** The URL of a health check that requests a page from the container itself; for static pages, the first page. */
function defaultRequests(
  { strategy }: Service["build"],
  { healthcheck, ports }: Service["image"],
): Request[] {
  const own = healthRequest(JSON.stringify(healthcheck?.command ?? []));
  if (own !== undefined) return [{ ...own, status: 200 }];
  return strategy === "static-web" ? [{ port: ports[0] ?? 80, path: "/", status: 200 }] : [];
}
