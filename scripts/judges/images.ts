import { verifyImage } from "@tgo/image";
import { inParallel, parseReference, Registry } from "@tgo/registry";
import {
  askJudge,
  BAD_IMAGES,
  BOTH_PLATFORMS,
  JUDGES,
  type Judge,
  MemoryRegistry,
  plantBadImages,
  serveMemory,
} from "@tgo/testing";

const AT_ONCE = 2;

export type JudgePrograms = Readonly<Record<Judge, string>>;

/** What every judge makes of an image; its first line is ours. */
interface Judged {
  readonly name: string;
  readonly ours: string | undefined;
  readonly refusedBy: readonly Judge[];
}

async function judge(programs: JudgePrograms, host: string, path: string, name: string): Promise<Judged> {
  const { repository, tag, digest } = parseReference(`${host}/${path}`);
  const registry = new Registry({ host });
  const target = { name: host, registry, repository, reference: digest ?? tag ?? "latest" };
  const [{ targets }, ...verdicts] = await Promise.all([
    verifyImage({ targets: [target], platforms: BOTH_PLATFORMS, elf: true }),
    ...JUDGES.map((each) => askJudge(each, { host, path, program: programs[each] })),
  ]);
  return {
    name,
    ours: targets[0]?.problems[0]?.what,
    refusedBy: JUDGES.filter((_, at) => verdicts[at]?.refuses === true),
  };
}

function row(name: string, refuses: (judge: Judge | "tgo") => boolean): string {
  return `| ${[name, ...(["tgo", ...JUDGES] as const).map((each) => (refuses(each) ? "refuses" : "accepts"))].join(" | ")} |`;
}

function table(rows: readonly string[]): string {
  const head = ["image", "tgo", ...JUDGES];
  return [`| ${head.join(" | ")} |`, `| ${head.map(() => "---").join(" | ")} |`, ...rows].join("\n");
}

/**
 * Holds all verdicts on the bad images beside each other.
 * @returns differences from what the list says of them
 */
export async function judgeBadImages(
  programs: JudgePrograms,
  print: (text: string) => void,
): Promise<string[]> {
  const registry = new MemoryRegistry("localhost");
  plantBadImages(registry, "t");
  const { host, stop } = await serveMemory(registry);
  try {
    const good = await judge(programs, host, "t:good", "good");
    const judged = await inParallel(AT_ONCE, BAD_IMAGES, ({ name }) =>
      judge(programs, host, `t/${name}:bad`, name),
    );
    const all = [good, ...judged];
    print(
      table(
        all.map(({ name, ours, refusedBy }) =>
          row(name, (each) => (each === "tgo" ? ours !== undefined : refusedBy.includes(each))),
        ),
      ),
    );
    const differences = judged.flatMap(({ name, ours, refusedBy }) => {
      const image = BAD_IMAGES.find((one) => one.name === name);
      const listed = image?.refusedBy ?? [];
      const certain = refusedBy.filter((each) => image?.sometimesRefusedBy.includes(each) !== true);
      return [
        ...(ours === undefined ? [`${name}: tgo accepts it`] : []),
        ...(String(listed) === String(certain)
          ? []
          : [`${name}: refusedBy is [${listed.join(", ")}], found [${certain.join(", ")}]`]),
      ];
    });
    return [...acceptedByAll(good), ...differences];
  } finally {
    await stop();
  }
}

/** Images that were published: everybody must accept them. */
export async function judgeGoodImages(
  programs: JudgePrograms,
  references: readonly string[],
  print: (text: string) => void,
): Promise<string[]> {
  const judged = await inParallel(1, references, (reference) => {
    const [host = "", ...path] = reference.split("/");
    return judge(programs, host, path.join("/"), reference);
  });
  print(
    table(
      judged.map(({ name, ours, refusedBy }) =>
        row(name, (each) => (each === "tgo" ? ours !== undefined : refusedBy.includes(each))),
      ),
    ),
  );
  return judged.flatMap(acceptedByAll);
}

function acceptedByAll({ name, ours, refusedBy }: Judged): string[] {
  return [
    ...(ours === undefined ? [] : [`${name}: tgo refuses it: ${ours}`]),
    ...refusedBy.map((each) => `${name}: ${each} refuses it`),
  ];
}
