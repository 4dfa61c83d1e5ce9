import { createHash, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { TrustedRoot } from "@sigstore/protobuf-specs";

/** Fulcio and Rekor on loopback, with the trusted root that verifies what they give. */
export interface SigstoreService {
  readonly url: string;
  readonly trustedRoot: string;
  /** Answers every request with this status, when it is set. */
  fail: { readonly path: RegExp; readonly status: number } | undefined;
  readonly stop: () => Promise<void>;
}

const SHA256 = "SHA2_256";
const P256 = "PKIX_ECDSA_P256_SHA_256";

/**
 * Starts Fulcio and Rekor. Fulcio certifies whatever a token claims.
 * @param clock of both services; now when absent
 */
export async function startSigstore(clock?: Date): Promise<SigstoreService> {
  // Its libraries are many, and few tests need them.
  const { fulcioHandler, initializeCA, initializeCTLog, initializeTLog, rekorHandler } =
    await import("@sigstore/mock");
  const keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const ctlog = await initializeCTLog(keys, clock);
  const ca = await initializeCA(keys, ctlog, clock);
  const tlog = await initializeTLog("http://rekor.test", keys, clock);
  const fulcio = fulcioHandler(ca);
  // The mock logs what was proposed; Rekor logs hashes of it.
  const rekor = rekorHandler({
    ...tlog,
    publicKey: tlog.publicKey,
    log: (entry) => tlog.log(logged(entry)),
  });
  const service = { fail: undefined as SigstoreService["fail"] };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      const handler = [fulcio, rekor].find((each) => each.path === path);
      if (handler === undefined || service.fail?.path.test(path) === true) {
        response.writeHead(service.fail?.status ?? 404).end();
        return;
      }
      void handler.fn(Buffer.concat(chunks).toString()).then((result) => {
        response
          .writeHead(result.statusCode, { "content-type": result.contentType ?? "text/plain" })
          .end(result.response);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const validFor = { start: new Date(0).toISOString() };
  const logOf = (publicKey: Buffer, keyId: Buffer): object => ({
    baseUrl: "http://rekor.test",
    hashAlgorithm: SHA256,
    publicKey: { rawBytes: publicKey.toString("base64"), keyDetails: P256, validFor },
    logId: { keyId: keyId.toString("base64") },
  });
  const rootBytes = bufferOf(ca.rootCertificate).toString("base64");
  const trustedRoot = TrustedRoot.fromJSON({
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    certificateAuthorities: [
      { subject: {}, uri: "", certChain: { certificates: [{ rawBytes: rootBytes }] }, validFor },
    ],
    tlogs: [logOf(tlog.publicKey, createHash("sha256").update(tlog.publicKey).digest())],
    ctlogs: [logOf(ctlog.publicKey, bufferOf(ctlog.logID))],
    timestampAuthorities: [],
  });
  return Object.assign(service, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trustedRoot: JSON.stringify(TrustedRoot.toJSON(trustedRoot)),
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  });
}

function bufferOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

/** https://github.com/sigstore/rekor/blob/main/pkg/types/dsse/v0.0.1/dsse_v0_0_1_schema.json */
function logged(proposed: object): object {
  const { spec } = proposed as { spec: { proposedContent: { envelope: string; verifiers: string[] } } };
  const { envelope, verifiers } = spec.proposedContent;
  const { payload, signatures } = JSON.parse(envelope) as {
    payload: string;
    signatures: { sig: string }[];
  };
  const sum = (bytes: Buffer | string): object => ({
    algorithm: "sha256",
    value: createHash("sha256").update(bytes).digest("hex"),
  });
  return {
    apiVersion: "0.0.1",
    kind: "dsse",
    spec: {
      envelopeHash: sum(envelope),
      payloadHash: sum(Buffer.from(payload, "base64")),
      signatures: signatures.map(({ sig }, at) => ({ signature: sig, verifier: verifiers[at] })),
    },
  };
}

/** An identity token as a CI job gets it; its signature is none. */
export function identityToken(claims: { readonly iss: string; readonly sub: string }): string {
  const exp = Math.floor(Date.now() / 1000) + 300;
  return [{}, { ...claims, aud: "sigstore", exp }, "signature"]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
}
