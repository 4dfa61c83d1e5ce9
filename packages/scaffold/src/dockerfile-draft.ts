import type { ComposeService } from "./compose.js";
import type { Draft, Health } from "./finding.js";
import type { DockerfileFacts } from "./from-dockerfile.js";
import { healthRoute } from "./health.js";
import type { Checkout } from "./read-checkout.js";

interface DockerfileOptions {
  readonly title: string;
  readonly dockerfile: DockerfileFacts;
  /** Its path in the folder. */
  readonly file: string;
  readonly compose: readonly ComposeService[];
}

/** The draft of a service that its own Dockerfile builds, unchanged. */
export async function dockerfileDraft(
  checkout: Checkout,
  folder: string,
  { title, dockerfile, file, compose }: DockerfileOptions,
): Promise<Draft> {
  const { secrets, args, emulatedRuns } = dockerfile;
  const port = dockerfile.ports[0] ?? compose.flatMap(({ ports }) => ports)[0];
  const health =
    dockerfile.health ??
    compose.find((each) => each.health !== undefined)?.health ??
    (await routeOf(checkout, folder, port));
  const [first] = compose;
  const target = first?.target;
  const given = Object.entries(first?.args ?? {}).filter(([name]) => dockerfile.declared.includes(name));
  const missing = args.filter((name) => !given.some(([other]) => other === name));
  return {
    definition: {
      title,
      build: {
        strategy: "dockerfile",
        ...(file === "Dockerfile" ? {} : { file }),
        ...(target === undefined ? {} : { target }),
        ...(given.length === 0 ? {} : { args: Object.fromEntries(given) }),
        ...(secrets.length === 0 ? {} : { secrets: [...secrets] }),
      },
      ...(health === undefined ? {} : { smoke: { http: [{ port: health.port, path: health.path }] } }),
    },
    reasons: {
      build:
        emulatedRuns === 0
          ? `Its ${file}, unchanged; none of its RUN lines is emulated.`
          : `Its ${file}, unchanged; ${emulatedRuns === 1 ? "1 RUN line is" : `${emulatedRuns} RUN lines are`} emulated on the other platform.`,
      ...(target === undefined ? {} : { "build.target": `From ${first?.file ?? ""}.` }),
      ...(given.length === 0 ? {} : { "build.args": `From ${first?.file ?? ""}.` }),
      ...(secrets.length === 0
        ? {}
        : { "build.secrets": "Its RUN lines mount these; --build-secrets has their values." }),
      ...(health === undefined ? {} : { "smoke.http": `From ${health.from}.` }),
    },
    gaps: [
      ...(health === undefined
        ? ["a request that it answers when it is healthy (smoke.http): smoke runs do not start it"]
        : []),
      ...(missing.length === 0 ? [] : [`values of its build arguments ${missing.join(", ")} (build.args)`]),
      ...variablesGap(first),
    ],
  };
}

function variablesGap(compose: ComposeService | undefined): string[] {
  if (compose === undefined || compose.variables.length === 0) return [];
  const [one, two, three, ...others] = compose.variables;
  const named = [one, two, three].filter((name) => name !== undefined).join(", ");
  return [
    `which of the variables in ${compose.file} it needs to start (smoke.env): ${named}${others.length === 0 ? "" : ` and ${others.length} more`}`,
  ];
}

const SOURCES = /\.(?:py|js|mjs|ts|go|rb|rs|java|kt|php|cs)$/;

/** A usual health route in one of the folder's programs. */
async function routeOf(
  checkout: Checkout,
  folder: string,
  port: number | undefined,
): Promise<Health | undefined> {
  if (port === undefined) return undefined;
  const inside = folder === "" ? "" : `${folder}/`;
  const sources = checkout.files
    .filter((path) => path.startsWith(inside) && SOURCES.test(path))
    .slice(0, 300);
  for (const source of sources) {
    const path = healthRoute((await checkout.read(source)) ?? "");
    if (path !== undefined) return { port, path, from: `a route in ${source}` };
  }
  return undefined;
}
