import type { PythonBuild, Service } from "@tgo/catalog";

type Request = Service["smoke"]["http"][number];

/** How a variant proves that it works: what its definition says, and what can be told from the rest of it. */
export interface SmokePlan {
  /** Prints the machine, as `uname -m`. */
  readonly machine: readonly string[];
  /** Commands that must exit with 0. */
  readonly exec: readonly (readonly string[])[];
  /** The build whose packages are imported. */
  readonly imports: PythonBuild | undefined;
  /** Requests the started service must answer; with none it is not started. */
  readonly http: readonly Request[];
}

/**
 * A definition without any smoke is still tried as far as it tells how: packages are imported, nginx reads its
 * configuration, and the address that the health check asks, or the first page, must answer.
 */
export function smokePlan({ build, image, smoke }: Service): SmokePlan {
  return {
    machine: smoke.machine ?? machineCommand(build),
    exec: [...smoke.exec, ...ownCommands(build).filter((command) => !includes(smoke.exec, command))],
    imports: build.strategy === "python" && smoke.imports ? build : undefined,
    http: smoke.http.length > 0 ? smoke.http : requestsOf(build, image),
  };
}

function machineCommand({ strategy }: Service["build"]): readonly string[] {
  return strategy === "python"
    ? ["python", "-c", "import platform; print(platform.machine())"]
    : ["uname", "-m"];
}

function ownCommands({ strategy }: Service["build"]): readonly (readonly string[])[] {
  return strategy === "static-web" ? [["nginx", "-t"]] : [];
}

function includes(commands: readonly (readonly string[])[], command: readonly string[]): boolean {
  return commands.some((each) => JSON.stringify(each) === JSON.stringify(command));
}

/** Of a health check that asks for a page of the container itself: that page. Of pages: the first one. */
function requestsOf({ strategy }: Service["build"], { healthcheck, ports }: Service["image"]): Request[] {
  const address = /http:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d+))?(\/[^\s"'`;|&)]*)?/.exec(
    healthcheck?.command.join(" ") ?? "",
  );
  if (address !== null) return [{ port: Number(address[1] ?? 80), path: address[2] ?? "/", status: 200 }];
  return strategy === "static-web" ? [{ port: ports[0] ?? 80, path: "/", status: 200 }] : [];
}
