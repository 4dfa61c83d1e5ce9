/** Levels of objects and arrays; Go allows 10,000. Parsers take seconds for millions. */
const DEEPEST = 100;

/** Objects whose keys are free text, told apart by case: annotations, labels, ports, volumes. */
const MAPS: ReadonlySet<string> = new Set(["annotations", "Labels", "ExposedPorts", "Volumes"]);

/** Why a JSON text is too complex to be parsed, or undefined. @param most the most values that it may have */
export function excessOf(text: string, most = Infinity): string | undefined {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') at = endOfString(text, at);
    else if (character === "{" || character === "[") {
      if (++depth > DEEPEST) return `it is nested more than ${DEEPEST} levels deep`;
      values++;
    } else if (character === "}" || character === "]") depth--;
    else if (character === ",") values++;
    if (values > most) return `it has more than ${most} values`;
  }
  return undefined;
}

/** Where the string ends that begins there: at its closing quote, or at the end of the text. */
export function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return at;
    if (text[at] === "\\") at++;
  }
  return text.length;
}

/** The fields of indexes, manifests and image configs, as image-spec v1.1.1 and Docker write them. */
const FIELDS =
  "schemaVersion mediaType artifactType manifests config layers fsLayers subject annotations digest size urls data platform " +
  "os architecture variant os.version os.features features rootfs type diff_ids history created author created_by " +
  "comment empty_layer User ExposedPorts Env Entrypoint Cmd Volumes WorkingDir Labels StopSignal StopTimeout " +
  "ArgsEscaped Healthcheck Test Interval Timeout StartPeriod StartInterval Retries OnBuild Shell";
const SPELLINGS: ReadonlyMap<string, string> = new Map(FIELDS.split(" ").map((name) => [fold(name), name]));

/**
 * Why programs would read this JSON text differently, or undefined. Docker, containerd and skopeo use Go's
 * encoding/json: it takes a key in any case ("Layers", "layerſ") for the field, and of several keys the last one. It
 * refuses a fraction where an integer belongs, and replaces half of a surrogate pair. JavaScript does none of it.
 * @param text valid JSON
 */
export function ambiguityOf(text: string): string | undefined {
  /** The keys of every open object, by their folded spelling; undefined for an array. */
  const open: ({ readonly keys: Map<string, string>; readonly isMap: boolean } | undefined)[] = [];
  /** The key whose value comes next. */
  let key = "";
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "{" || character === "[") {
      open.push(character === "[" ? undefined : { keys: new Map(), isMap: MAPS.has(key) });
      key = "";
    } else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const start = at;
      at = endOfString(text, start);
      const object = open.at(-1);
      const literal = text.slice(start, at + 1);
      if (literal.includes("\\u") && /\p{Surrogate}/u.test(JSON.parse(literal) as string))
        return `half of a surrogate pair is in the text ${literal.slice(0, 100)}`;
      let next = at + 1;
      while (text.charCodeAt(next) <= 0x20) next++;
      if (object === undefined || text[next] !== ":") continue;
      key = JSON.parse(literal) as string;
      const problem = problemOf(key, object);
      if (problem !== undefined) return problem;
    } else if (
      character === "." ||
      character === "E" ||
      (character === "e" && /\d/.test(text.charAt(at - 1)))
    )
      return "a number is not written as an integer";
    else if (character === ",") key = "";
  }
  return undefined;
}

function problemOf(
  key: string,
  { keys, isMap }: { readonly keys: Map<string, string>; readonly isMap: boolean },
): string | undefined {
  const folded = isMap ? key : fold(key);
  const before = keys.get(folded);
  keys.set(folded, key);
  if (before === key) return `it has the key ${JSON.stringify(key)} twice`;
  const meant = before ?? (isMap ? undefined : SPELLINGS.get(folded));
  if (meant === undefined || meant === key) return undefined;
  return `container engines take its key ${JSON.stringify(key)} for ${JSON.stringify(meant)}`;
}

/** As Unicode's simple case folding: also U+017F (ſ) is an s, and U+212A a k. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}
