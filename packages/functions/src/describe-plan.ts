import {
  pinned,
  registryRepository,
  selectPlatforms,
  selectServices,
  type Catalog,
  type Pins,
  type Service,
} from "@tgo/catalog";
import { basesOf } from "@tgo/builders";
import { jsonText, renderLine, renderTable, type OutputFormat } from "@tgo/report";

/** The services of the catalog, one a line. */
export function describeServices(catalog: Catalog, format: OutputFormat): string {
  const rows = Object.entries(catalog.services).map(([name, service]) => ({
    service: name,
    title: service.title,
    strategy: service.build.strategy,
    ports: service.image.ports,
    bases: basesOf(service.build),
  }));
  if (format === "json") return jsonText({ services: rows, platforms: catalog.platforms });
  const table = rows.map((row) => [row.service, row.strategy, row.ports.join(" "), row.title]);
  return renderTable(["service", "built by", "ports", "title"], table, format);
}

/** What a publish would do. */
export function describePlan(of: {
  readonly catalog: Catalog;
  readonly names: readonly string[];
  readonly platforms: readonly string[] | undefined;
  readonly format: OutputFormat;
  readonly pins: Pins;
}): string {
  const { catalog, names, platforms, format, pins } = of;
  const selected = selectServices(catalog, names);
  const planned = selectPlatforms(catalog, platforms);
  const plans = selected.map(({ name, service }) => ({
    service: name,
    strategy: service.build.strategy,
    platforms: planned,
    bases: basesOf(service.build).map((name) => ({ name, digest: digestOf(name, pins) ?? null })),
    smoke: smokeLines(service),
    publishesTo: Object.entries(catalog.registries).map(([registry, entry]) => {
      const { host, repository } = registryRepository(entry, name);
      return {
        registry,
        repository: `${host}/${repository}`,
        required: entry.required,
        public: entry.public,
      };
    }),
  }));
  if (format === "json") return jsonText({ plan: plans });
  return plans
    .map((plan) => {
      const table = renderTable(
        ["registry", "repository", "required", "public"],
        plan.publishesTo.map((to) => [
          to.registry,
          to.repository,
          to.required ? "yes" : "no",
          to.public ? "yes" : "no",
        ]),
        format,
      );
      const bullet = format === "markdown" ? "- " : "  ";
      const lines = [
        `built by ${plan.strategy} for ${plan.platforms.join(" and ")}`,
        ...plan.bases.map(
          ({ name, digest }) =>
            `from ${name}: ${digest === null ? "not pinned, resolved at build time" : `pinned to ${digest}`}`,
        ),
        "check: every binary's architecture, in every variant",
        `smoke run: ${plan.smoke.join("; ") || "the machine only"}, in every variant`,
        "publish as candidate-<key>: one digest in every registry, verified there",
      ];
      return [
        format === "markdown" ? `### ${plan.service}\n` : plan.service,
        ...lines.map((line) => `${bullet}${renderLine(line, format)}`),
        "",
        table,
      ].join("\n");
    })
    .join("\n\n");
}

/** The digest in the reference itself, else in the lock. */
function digestOf(name: string, pins: Pins): string | undefined {
  return pinned(name, pins).split("@")[1];
}

function smokeLines(service: Service): string[] {
  const { exec, http } = service.smoke;
  return [
    ...exec.map((each) =>
      "command" in each
        ? `${each.command.join(" ")} (${each.platforms === "one" ? "on one platform" : "on every platform"})`
        : each.join(" "),
    ),
    ...http.map(({ port, path, status }) => `GET :${port}${path} is ${status}`),
  ];
}
