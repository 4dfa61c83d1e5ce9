import type { Problem } from "@tgo/errors";
import { clockProblems, diskProblem, type ClockSkew } from "@tgo/publishing";
import { count } from "@tgo/report";
import type { EngineFacts, HostFacts, RegistryFacts } from "./host-facts.js";

/** A row of what `doctor` prints. */
export interface Row {
  /** What was looked at: "registry ghcr". */
  readonly check: string;
  /** failed: a publish fails; warn: it may fail, or be slower. */
  readonly state: "ok" | "warn" | "failed";
  readonly found: string;
  /** Set unless the state is ok. */
  readonly remedy?: string;
}

/** Whether a machine can build, run and publish images, a row for each thing that it depends on. */
export function diagnose(facts: HostFacts): Row[] {
  const { tgo, git } = facts;
  return [
    { check: "tgo", state: "ok", found: `${tgo.version}, Node ${tgo.node}` },
    ...engineRows(facts.engine),
    ...facts.platforms.map(({ platform, runs }) =>
      "problem" in runs ? failed(`runs ${platform}`, runs.problem) : ok(`runs ${platform}`, runs.by),
    ),
    diskRow(facts),
    "problem" in facts.catalog
      ? failed("catalog", facts.catalog.problem)
      : ok("catalog", `${facts.catalog.from}, ${count(facts.catalog.services, "service")}`),
    credentialsRow(facts),
    ...facts.registries.map(registryRow),
    ...clockRows(facts.registries),
    ...facts.mirrors.map(({ name, address, problem }) =>
      problem === undefined ? ok(`mirror ${name}`, address) : failed(`mirror ${name}`, problem),
    ),
    caRow(facts),
    ...(facts.proxies.length === 0 ? [ok("proxies", "none")] : []),
    ...facts.proxies.map(({ name, address, problem }) =>
      problem === undefined ? ok(`proxy ${name}`, address) : failed(`proxy ${name}`, problem),
    ),
    git === undefined
      ? {
          check: "git",
          state: "warn",
          found: "not installed: the source's commit is unknown, and nothing can be released",
          remedy: "apt-get install -y git",
        }
      : ok("git", git),
  ];
}

function ok(check: string, found: string): Row {
  return { check, state: "ok", found };
}

function failed(check: string, problem: Problem, state: "warn" | "failed" = "failed"): Row {
  const { what, where, remedy } = problem;
  return {
    check,
    state,
    found: where === undefined || what.includes(where) ? what : `${what} (${where})`,
    remedy: remedy ?? "Run the command that needs it with --verbose.",
  };
}

function engineRows({ kind, why, version, expected, problems }: EngineFacts): Row[] {
  const name = kind === "dagger" ? "Dagger's engine" : "the local engine";
  if (problems.length > 0) return problems.map((problem) => failed("engine", problem));
  if (kind === "local") return [ok("engine", `${name}, because ${why}`)];
  if (version === undefined)
    return [ok("engine", `${name} ${expected}, started when it is needed, because ${why}`)];
  if (version === expected) return [ok("engine", `${name} ${version}, because ${why}`)];
  return [
    {
      check: "engine",
      state: isOlder(version, expected) ? "failed" : "warn",
      found: `${name} is ${version}, and the pipelines are made for ${expected}`,
      remedy: `Run the engine and the dagger command of version ${expected}, or add --engine local.`,
    },
  ];
}

/** Whether a version is of an older line: 0.20.3 against 0.21.8. A newer engine serves modules of older ones. */
function isOlder(version: string, expected: string): boolean {
  const [one, other] = [version, expected].map((text) => text.split(/[.-]/).map(Number));
  for (const at of [0, 1, 2]) {
    const difference = (one?.[at] ?? 0) - (other?.[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function diskRow({ disk }: HostFacts): Row {
  if ("problem" in disk) return failed("disk", disk.problem);
  const { path, freeBytes, services } = disk;
  const problem = diskProblem(freeBytes, Math.max(1, services), path);
  if (problem !== undefined) return failed("disk", problem, problem.blocks ? "failed" : "warn");
  return ok("disk", `${(freeBytes / 1024 ** 3).toFixed(1)} GB left at ${path}`);
}

function credentialsRow({ credentials }: HostFacts): Row {
  if ("problem" in credentials) return failed("credentials", credentials.problem);
  return ok("credentials", credentials.from ?? "no Docker config: registries are asked without a login");
}

/** Messages do not repeat the host that the row is about. */
function registryRow({ name, host, required, hasLogin, repository, push }: RegistryFacts): Row {
  const check = `registry ${name}`;
  if (!("problem" in push))
    return ok(check, `${host} accepts pushes to ${repository}, ${hasLogin ? "with" : "without"} a login`);
  const login = host === "docker.io" ? "docker login" : `docker login ${host}`;
  const { problem } = push;
  const state = required ? "failed" : "warn";
  const isRefused = problem.code === "UNAUTHORIZED" || problem.code === "DENIED";
  if (isRefused && !hasLogin)
    return {
      check,
      state,
      found: `no login for ${host}, and it refuses pushes to ${repository} without one`,
      remedy: login,
    };
  if (problem.code === "UNAUTHORIZED")
    return {
      check,
      state,
      found: `${host} refuses the login: ${problem.what}`,
      remedy: [
        ...(problem.remedy?.includes("docker login") === true ? [] : [problem.remedy]),
        `The password or token may have expired or be another registry's. Log in again: ${login}`,
      ].join("\n"),
    };
  return failed(check, problem, state);
}

function clockRows(registries: readonly RegistryFacts[]): Row[] {
  // A certificate that is valid for a registry's other users is wrong only for who has another date.
  const strange = registries.find(
    ({ push }) =>
      "problem" in push && /certificate (?:is not yet valid|has expired)/i.test(push.problem.what),
  );
  if (strange !== undefined)
    return [
      {
        check: "clock",
        state: "warn",
        found: `${strange.host}'s certificate is not valid at this machine's time, ${new Date().toISOString().slice(0, 16)}Z`,
        remedy:
          "If that is not the time, set this machine's clock (NTP); else report it to the registry's operator.",
      },
    ];
  const skews: ClockSkew[] = registries.flatMap(({ name, host, push }) =>
    "problem" in push || push.skewSeconds === undefined
      ? []
      : [{ registry: name, host, seconds: push.skewSeconds }],
  );
  const problems = clockProblems(skews);
  if (problems.length > 0) return problems.map((problem) => failed("clock", problem));
  return skews.length === 0
    ? []
    : [ok("clock", `agrees with ${[...new Set(skews.map(({ host }) => host))].join(", ")}`)];
}

function caRow({ ca }: HostFacts): Row {
  if ("problem" in ca) return failed("CA certificates", ca.problem);
  const { from, certificates, expired, onlyBuilds } = ca;
  if (from === undefined) return ok("CA certificates", "those that Node brings");
  const found = `${count(certificates, "certificate")} of ${from}, ${onlyBuilds ? "for build steps" : "and those that Node brings"}`;
  // Bundles of distributions have some that have expired; all of a company's own would be a mistake.
  if (expired > 0 && expired === certificates)
    return {
      check: "CA certificates",
      state: "warn",
      found: `${found}; all of them have expired`,
      remedy: "Get the current certificates of the proxy or registry from whoever runs it.",
    };
  return ok("CA certificates", found);
}
