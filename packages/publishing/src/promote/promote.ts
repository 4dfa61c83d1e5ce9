import { TgoError, problemOf, type Problem } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import { type RegistryReport, type ServiceReport } from "@tgo/report";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { attempt, interrupted } from "../publish/attempt.js";
import { splitByRequired, type PublishOutcome } from "../publish/publish-outcome.js";
import { candidateTag } from "../candidate/candidate-key.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { copyByDigest } from "../publish/copy-by-digest.js";
import type { TargetContext } from "../targets/publish-context.js";
import { GRACE_PERIOD_MS, promised, within } from "../publish/grace-period.js";
import { RegistryRows } from "../publish/registry-rows.js";
import { variantRows, verifyTag } from "../verify/verify-tag.js";

interface Run {
  readonly context: TargetContext;
  readonly service: string;
  readonly version: string;
  readonly rows: RegistryRows;
}

/** The image that is out as the version: what the registries that hold it whole agree on. */
interface Image {
  readonly from: Target;
  readonly digest: string;
  /** The tag it is copied under: its candidate's, where it says which that is. */
  readonly tag: string;
  readonly verification: Verification;
}

/** What a registry has under the version; undefined when nothing, or nobody knows. */
type Answer = Promise<string | undefined>;

/**
 * The image that is out as a version: verified where it is, and copied by digest to where it, or a part of it, is not.
 * Nothing is built. A failure is in the report; registries that are not required are not waited for.
 */
export function bringVersion(
  context: TargetContext,
  service: string,
  version: string,
): Promise<PublishOutcome> {
  const run: Run = { context, service, version, rows: new RegistryRows(context, service, version) };
  const { needed, others } = splitByRequired(context);
  const image = promised<Image | undefined>();
  const asked = needed.map((target) => ({ target, answer: ask(run, target) }));
  const late = others.map((target) => {
    const answer = ask(run, target);
    return { target, answer, row: bringLate(run, target, answer, image.promise) };
  });
  const rows = new Map(late.map(({ target, row }) => [target.name, row]));
  const bring = async (): Promise<PublishOutcome> => {
    const found = await findImage(run, asked, late);
    image.keep(found);
    await Promise.all(asked.map(async ({ target, answer }) => bringOne(run, target, await answer, found)));
    const registries = run.rows.all();
    const needs = registries.filter(({ registry }) => needed.some(({ name }) => name === registry));
    return {
      service,
      state: needs.every(({ state }) => state === "already there") ? "already there" : "published",
      revision: found.verification.annotations["org.opencontainers.image.revision"],
      tag: found.tag,
      digest: found.digest,
      variants: variantRows(context, found.verification),
      registries,
      problems: [],
      notes: [],
      late: rows,
      durationMs: 0,
    };
  };
  return attempt(context, service, bring).then((brought) => {
    image.keep(undefined);
    // A failed one has the rows as far as they came.
    return { ...brought, registries: run.rows.all(), late: rows };
  });
}

/**
 * The one problem of all services, when every registry answered and none has the version: one fact, to be told once.
 * Where only some services lack it, each tells of itself.
 */
export function nowhere(services: readonly ServiceReport[]): Problem | undefined {
  const [problem, ...others] = services.map(({ problems }) => problems[0]);
  const answered = services.every(({ registries }) => registries.every(({ state }) => state !== "failed"));
  if (!answered || problem?.code !== "NOT_FOUND") return undefined;
  return others.every((other) => other?.what === problem.what) ? problem : undefined;
}

async function ask({ context, service, version, rows }: Run, target: Target): Answer {
  const started = performance.now();
  try {
    const found = await target.client.resolve(repositoryOf(target, service), version, { push: true });
    return found?.digest;
  } catch (error) {
    if (interrupted(context) === undefined) rows.fail(target, error, started);
    return undefined;
  }
}

/** @throws TgoError NOT_FOUND when no registry that answers has it whole */
async function findImage(
  run: Run,
  asked: readonly { readonly target: Target; readonly answer: Answer }[],
  late: readonly { readonly target: Target; readonly answer: Answer }[],
): Promise<Image> {
  const own = await wholeImage(run, asked);
  if (own !== undefined) return own;
  const looked = wholeImage(run, late);
  const patience = run.context.gracePeriodMs ?? GRACE_PERIOD_MS;
  const elsewhere = late.length > 0 && (await within(looked, patience)) ? await looked : undefined;
  if (elsewhere === undefined) throw await notThere(run, asked);
  return elsewhere;
}

async function wholeImage(
  { context, service, version }: Run,
  asked: readonly { readonly target: Target; readonly answer: Answer }[],
): Promise<Image | undefined> {
  const answers = await Promise.all(
    asked.map(async ({ target, answer }) => ({ target, digest: await answer })),
  );
  const holders = answers.flatMap(({ target, digest }) => (digest === undefined ? [] : [target]));
  if (holders.length === 0) return undefined;
  const verification = await verifyTag(context, service, holders, version, { elf: false });
  const { digest, annotations } = verification;
  const good = verification.targets.find((one) => one.state === "verified" && one.digest === digest);
  const from = holders.find(({ name }) => name === good?.name);
  if (from === undefined || digest === undefined) return undefined;
  const key = annotations[CANDIDATE_ANNOTATION];
  return { from, digest, tag: key === undefined ? version : candidateTag(key), verification };
}

/** Brings one registry to hold the image whole, or says in its row why it does not. */
async function bringOne(run: Run, target: Target, held: string | undefined, image: Image): Promise<void> {
  const { context, service, version, rows } = run;
  if (rows.hasFailed(target)) return;
  const { from, digest, tag } = image;
  const verify = async (reference: string): Promise<void> => {
    const verification = await verifyTag(context, service, [target], reference, {
      digest,
      elf: false,
      quiet: true,
    });
    rows.verified([target], reference, verification);
  };
  const seen = image.verification.targets.find(({ name }) => name === target.name);
  rows.update(target, { state: held === undefined ? "not started" : "already there" });
  if (held !== undefined && seen !== undefined) rows.verified([target], version, image.verification);
  else if (held !== undefined) await verify(version);
  // Another image under this version is nothing to repair.
  if (held !== undefined && (held !== digest || !rows.hasFailed(target))) return;
  if (from === target) return;
  const started = performance.now();
  try {
    const uploaded = await copyByDigest(context, { from, to: target, service, digest, tag });
    rows.update(target, { state: "done", problems: [], uploaded, durationMs: rows.spent(target, started) });
    await verify(held === undefined ? tag : version);
  } catch (error) {
    rows.fail(target, error, started);
  }
}

async function bringLate(
  run: Run,
  target: Target,
  answer: Answer,
  image: Promise<Image | undefined>,
): Promise<RegistryReport> {
  const { context, rows } = run;
  try {
    const held = await answer;
    const found = await image;
    if (found !== undefined) await bringOne(run, target, held, found);
  } catch (error) {
    rows.update(target, { state: "failed", problems: [problemOf(interrupted(context) ?? error)] });
  }
  return rows.of(target);
}

async function notThere(
  { service, version, rows }: Run,
  asked: readonly { readonly target: Target; readonly answer: Answer }[],
): Promise<TgoError> {
  const broken: string[] = [];
  for (const { target, answer } of asked) if ((await answer) !== undefined) broken.push(target.name);
  if (broken.length > 0) {
    return new TgoError(
      "VERIFY",
      `${version} of ${service} is whole in no registry (it is in ${broken.join(", ")})`,
      {
        remedy: `See what is missing: tgo verify --service ${service} --tag ${version}. The release's own command brings it again.`,
      },
    );
  }
  const silent = asked.filter(({ target }) => rows.hasFailed(target)).map(({ target }) => target.name);
  const but = silent.length === 0 ? "" : ` that could be asked (not ${silent.join(", ")})`;
  return new TgoError("NOT_FOUND", `no registry${but} has version ${version}`, {
    remedy: `Release it first: tgo release --version ${version}. What is out is shown by tgo status.`,
  });
}
