import { TgoError } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import {
  releaseState,
  type Gate,
  type OpenGate,
  type ReleasePlan,
  type ReleaseState,
} from "@tgo/release-rules";
import type { ServiceReport } from "@tgo/report";
import type { TargetContext } from "../targets/publish-context.js";
import type { Target } from "../targets/target.js";
import { verifyTag } from "../verify/verify-tag.js";
import type { GateInputs } from "./gate-inputs.js";
import type { IndexCache } from "./index-cache.js";
import type { ReleaseLedger } from "./release-ledger.js";
import { attachRecord, recordOf, type Attachment, type ComposedRecord } from "./release-record.js";
import { isComplete, releaseReport } from "./release-report.js";

export interface Released {
  readonly ok: boolean;
  readonly gate: Gate;
  readonly services: readonly ServiceReport[];
  /** Absent if the gate stayed closed. */
  readonly record?: ComposedRecord;
  /** Why the run ended early; everything else is what it had done by then. */
  readonly interruption?: TgoError;
}

export interface ReleaseResultOptions {
  readonly ledger: ReleaseLedger;
  readonly indexes: IndexCache;
  readonly inputs: GateInputs;
  readonly promotes: boolean;
  /** Hash of the pipelines' own code, for the record; without it there is no record. */
  readonly pipeline: string | undefined;
}

/** Verifies, records and reports what a release wrote. */
export class ReleaseResult {
  /** By service: final verifications, each of some registries. */
  readonly #verified = new Map<string, Verification[]>();

  constructor(
    private readonly context: TargetContext,
    private readonly options: ReleaseResultOptions,
  ) {}

  /** Verifies the version tag of every service in the registries that have it. */
  async verify(plan: ReleasePlan, targets: readonly Target[]): Promise<void> {
    const { steps } = this.#state(plan);
    await Promise.all(
      plan.services.map(async ({ service, digest, tags }) => {
        const reached = targets.filter(({ name }) =>
          steps.some(
            (step) =>
              step.service === service &&
              step.registry === name &&
              step.phase === "version" &&
              step.status.state === "already there",
          ),
        );
        if (reached.length === 0) return;
        const found = await verifyTag(this.context, service, reached, tags.version, { digest, elf: false });
        this.#verified.set(service, [...(this.#verified.get(service) ?? []), found]);
      }),
    );
  }

  /** The gate stayed closed: every image remains a candidate. */
  closed(gate: Gate): Released {
    return { ok: false, gate, services: this.options.inputs.reports().map(notReleased) };
  }

  /** Attaches the record if every service is released, and reports. */
  async complete(plan: ReleasePlan, gate: OpenGate): Promise<Released> {
    const { context } = this;
    const { ledger, indexes, pipeline } = this.options;
    const state = this.#state(plan);
    const record =
      pipeline === undefined
        ? undefined
        : recordOf(context, { plan, state, ledger, verified: this.#verified, pipeline });
    const isReleased = this.#reports(plan, state, []).every((service) => service.state !== "not released");
    const attached = record !== undefined && isReleased ? await attachRecord(context, record, indexes) : [];
    const services = this.#reports(plan, state, attached);
    const required = new Set(
      context.targets.flatMap(({ name, registry }) => (registry.required ? [name] : [])),
    );
    const isRecorded = attached.every(
      ({ registry, state: attachment }) => attachment !== "failed" || !required.has(registry),
    );
    const ok =
      isRecorded && services.every((service) => isComplete(service) && service.state !== "not moved");
    return { ok, gate, services, ...(record === undefined ? {} : { record }) };
  }

  /** What an interrupted run had done; queries no registry. @param opened undefined if the gate had not opened */
  interrupted(
    interruption: TgoError,
    opened: { readonly gate: OpenGate; readonly plan: ReleasePlan } | undefined,
  ): Released {
    if (opened === undefined)
      return { ...this.closed({ open: false, reasons: [], later: [] }), interruption };
    const { gate, plan } = opened;
    return { ok: false, gate, services: this.#reports(plan, this.#state(plan), []), interruption };
  }

  #state(plan: ReleasePlan): ReleaseState {
    const { ledger } = this.options;
    return releaseState(ledger.now, plan, ledger.start);
  }

  #reports(plan: ReleasePlan, state: ReleaseState, attached: readonly Attachment[]): ServiceReport[] {
    const { ledger, inputs, promotes } = this.options;
    const reports = inputs.reports();
    return plan.services.map((planned) => {
      const report = reports.find(({ service }) => service === planned.service);
      if (report === undefined)
        throw new TgoError("INTERNAL", `${planned.service} is in the plan, but was not published`);
      return releaseReport({
        planned,
        report,
        state,
        ledger,
        targets: this.context.targets,
        verified: (this.#verified.get(planned.service) ?? []).flatMap(({ targets }) => targets),
        attached,
        promotes,
      });
    });
  }
}

function notReleased(report: ServiceReport): ServiceReport {
  return { ...report, state: report.state === "failed" ? "failed" : "not released" };
}
