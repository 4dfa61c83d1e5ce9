import type { RegistryReport, Report, ServiceReport, TagReport } from "../src/index.js";
import { DIGEST, OTHER, report, service, without } from "./sample.js";

const SERVICES = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];
const REGISTRIES = ["ghcr", "dockerhub", "acr"];
export const NEXT =
  "npx --no-install tgo release --version 1.2.3 --source ../tgo --docker-config file:ci/config.json";

const UNREACHABLE = {
  code: "UNAVAILABLE",
  what: "the registry answered 503 to 5 attempts in 62 s: upload of blob sha256:77aa01",
  remedy:
    "Wait until the registry is well again.\nThen run the same command again: what is done is not done twice.",
} as const;

/** The four tags of 1.2.3 in every registry. */
function tags(
  state: TagReport["state"],
  change: (tag: TagReport) => Partial<TagReport> = () => ({}),
): TagReport[] {
  return REGISTRIES.flatMap((registry) =>
    [
      { registry, tag: "1.2.3", state },
      { registry, tag: "1.2", state, before: "1.2.2" },
      { registry, tag: "1", state, before: "1.2.2" },
      { registry, tag: "latest", state, before: "1.2.2" },
    ].map((tag) => ({ ...tag, ...change(tag) })),
  );
}

/** The registries; the second one accepts no records. */
function recorded(name: string, record: NonNullable<RegistryReport["record"]>): RegistryReport[] {
  return service(name).registries.map((each, index) => (index === 1 ? each : { ...each, record }));
}

function release(services: readonly ServiceReport[], change: Partial<Report>): Report {
  return report({
    command: "release",
    version: "1.2.3",
    began: "2026-03-04T05:06:07.089Z",
    services,
    durationMs: 184_200,
    ...change,
  });
}

/** Six services, all tags written; one service was released before, and one floating tag stays. */
export function releasedReport(): Report {
  return release(
    SERVICES.map((name) =>
      name === "tgo-web"
        ? service(name, {
            state: "already there",
            tags: tags("already there"),
            registries: recorded(name, "already there"),
          })
        : service(name, {
            state: "released",
            registries: recorded(name, "done"),
            notes:
              name === "tgo-rag"
                ? [
                    "crcmod 1.7 has no wheel: built from source natively for linux/amd64, cross-compiled for linux/arm64",
                  ]
                : [],
            tags: tags("done", ({ tag, registry }) =>
              name === "tgo-ai" && tag === "latest" && registry === "acr"
                ? {
                    state: "stays",
                    before: "1.3.0",
                    told: "stays on 1.3.0, newer than 1.2.3",
                  }
                : {},
            ),
          }),
    ),
    { gate: { open: true, reasons: [], later: [] } },
  );
}

/** Released, with one optional registry down and its images missing. */
export function incompleteReport(change: Partial<Report> = {}): Report {
  const whole = releasedReport();
  const services = whole.services.map(({ tags: written = [], ...each }) => ({
    ...each,
    tags: written.map((tag) => (tag.registry === "acr" ? { ...tag, state: "not started" as const } : tag)),
    registries: each.registries.map((row) =>
      row.registry === "acr"
        ? { ...without(row, "record"), state: "failed" as const, problems: [UNREACHABLE] }
        : row,
    ),
  }));
  return { ...whole, ok: false, services, next: NEXT, ...change };
}

/** One service does not build, and one registry rejects another: the gate stays closed, and no tag was planned. */
export function closedGateReport(): Report {
  const services = SERVICES.map((name): ServiceReport => {
    const whole = service(name, { state: "not released" });
    if (name === "tgo-rag") {
      return {
        ...without(whole, "digest"),
        state: "failed",
        variants: [],
        registries: whole.registries.map((each) => ({
          ...without(each, "digest", "uploaded"),
          state: "not started",
          durationMs: 0,
        })),
        problems: [
          {
            code: "BUILD",
            what: "a command of the build failed with exit code 1: pip download\n  | Collecting unstructured==0.18\n  | ERROR: No matching distribution found for unstructured==0.18 (from -r /in/requirements.txt (line 171))",
            where: "repos/tgo-rag/poetry.lock",
            remedy:
              "The lock names a version that its index does not have. Write the lock again:\npoetry lock --directory repos/tgo-rag",
          },
        ],
      };
    }
    if (name !== "tgo-web") return whole;
    return {
      ...whole,
      state: "failed",
      registries: whole.registries.map((each) =>
        each.registry === "acr"
          ? {
              ...without(each, "digest"),
              state: "failed",
              problems: [{ ...UNREACHABLE, where: each.reference }],
            }
          : each,
      ),
    };
  });
  return release(services, {
    ok: false,
    gate: {
      open: false,
      reasons: [
        "tgo-rag in ghcr: the candidate is missing: a command of the build failed with exit code 1: pip download",
        "tgo-rag in dockerhub: the candidate is missing",
        "tgo-web in acr: the candidate could not be verified: the registry answered 503 to 5 attempts in 62 s",
      ],
      later: [],
    },
    next: NEXT,
  });
}

/** The gate opened, and one registry failed while tags were written: latest has not moved anywhere yet. */
export function partlyWrittenReport(): Report {
  const services = SERVICES.map((name, index): ServiceReport => {
    const failing = index >= 4;
    return service(name, {
      state: "not released",
      tags: tags("done", ({ tag, registry }) => {
        if (tag !== "1.2.3") return { state: "not started" };
        if (!failing || registry !== "acr") return {};
        return {
          state: "failed",
          problem: { ...UNREACHABLE, what: "the registry answered 503 to the manifest of 1.2.3" },
        };
      }),
      registries: service(name).registries.map((each) =>
        index === 5 && each.registry === "dockerhub" ? { ...each, digest: OTHER } : each,
      ),
      ...(index === 5 ? { digest: DIGEST } : {}),
    });
  });
  return release(services, {
    ok: false,
    gate: { open: true, reasons: [], later: ["tgo-web in quay: the registry did not answer within 30 s"] },
    next: NEXT,
  });
}

/** A failed release with the given text in every field of outside origin. */
export function hostileReport(text: string): Report {
  const whole = closedGateReport();
  const problem = { code: "INVALID_RESPONSE", what: text, where: text, remedy: text } as const;
  return {
    ...whole,
    engine: text,
    gate: { open: false, reasons: whole.gate?.reasons.map(() => text) ?? [], later: [text] },
    next: text,
    problems: [problem],
    services: whole.services.map((each) => ({
      ...each,
      revision: text,
      problems: [problem],
      notes: [text],
      registries: each.registries.map((row) => ({ ...row, reference: text, problems: [problem] })),
      tags: [{ registry: "ghcr", tag: text, state: "failed", before: text, told: text, problem }],
      variants: each.variants.map((variant) => ({
        ...variant,
        elf: { files: 2, elf: 1, foreign: [text] },
        smoke: { ok: false, machine: text, lines: [text], recorded: false },
      })),
    })),
  };
}
